"""What is read at each scrape: the writer, the logs, the witnesses, jobs, the disk, self-audit.

No label names an organisation or a person; witnesses are named in the public root file.
"""

import shutil
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from accord.hub.services import Services
from accord.hub.transparency import LogName


class Gauges(Collector):
    """Everything that is not counted as answers pass by."""

    def __init__(self, services: Services) -> None:
        """Read from ``services``."""
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield from self._logs()
        yield from self._writer()
        yield from self._witnesses()
        yield from self._jobs()
        yield from self._disk()
        yield from self._self_audit()
        yield from self._retention()

    def _logs(self) -> Iterator[Metric]:
        size = GaugeMetricFamily("accord_log_size", "Entries of a log.", labels=["log"])
        seen = GaugeMetricFamily(
            "accord_log_witnessed_size", "Entries under a quorum.", labels=["log"]
        )
        lag = GaugeMetricFamily(
            "accord_log_witness_lag", "Entries that wait for a quorum.", labels=["log"]
        )
        for name in LogName:
            head, cosigned = self._services.reader.head(name), self._services.reader.cosigned(name)
            entries, witnessed = head.size if head else 0, cosigned.size if cosigned else 0
            size.add_metric([name.value], entries)
            seen.add_metric([name.value], witnessed)
            lag.add_metric([name.value], max(0, entries - witnessed))
        yield from (size, seen, lag)
        yield GaugeMetricFamily(
            "accord_log_stopped",
            "1 when a witness has seen more than this database: nothing is signed.",
            value=int(self._services.logs.stopped is not None),
        )

    def _writer(self) -> Iterator[Metric]:
        writer = self._services.writer
        yield GaugeMetricFamily(
            "accord_writer_waiting", "Acts that wait for a transaction.", value=writer.waiting
        )
        yield SummaryMetricFamily(
            "accord_commit_seconds",
            "Transactions and their time in seconds.",
            count_value=writer.figures.commits,
            sum_value=writer.figures.seconds,
        )
        yield CounterMetricFamily(
            "accord_acts", "Acts that were committed.", value=writer.figures.acts
        )
        yield CounterMetricFamily(
            "accord_commit_failures", "Transactions that failed.", value=writer.figures.failures
        )

    def _witnesses(self) -> Iterator[Metric]:
        well = GaugeMetricFamily(
            "accord_witness_well", "1 when the last request went well.", labels=["witness"]
        )
        for witness, reason in self._services.rounds.failing().items():
            well.add_metric([witness], int(reason is None))
        yield well

    def _jobs(self) -> Iterator[Metric]:
        due = GaugeMetricFamily(
            "accord_job_overdue_seconds", "For how long a job has been due.", labels=["job"]
        )
        overdue = self._services.job_table.overdue(now=self._services.clock())
        for name, seconds in overdue.items():
            due.add_metric([name], seconds)
        yield due
        yield GaugeMetricFamily(
            "accord_jobs_failing",
            "Jobs that did not go well the last time.",
            value=self._services.job_table.failing(),
        )

    def _disk(self) -> Iterator[Metric]:
        usage = shutil.disk_usage(self._services.config.home)
        yield GaugeMetricFamily("accord_disk_free_bytes", "Free room.", value=usage.free)
        yield GaugeMetricFamily("accord_disk_total_bytes", "All room.", value=usage.total)

    def _self_audit(self) -> Iterator[Metric]:
        last = self._services.self_audit.last()
        yield GaugeMetricFamily(
            "accord_self_audit_time_seconds",
            "Unix second of the newest self-audit.",
            value=last.at if last else 0,
        )
        yield GaugeMetricFamily(
            "accord_self_audit_ok",
            "1 when everything fitted.",
            value=int(last is not None and last.ok),
        )

    def _retention(self) -> Iterator[Metric]:
        """Yield what this process deleted, and what is due now."""
        yield CounterMetricFamily(
            "accord_bundles_erased",
            "Bundles erased since the start.",
            value=self._services.retention.erased,
        )
        yield CounterMetricFamily(
            "accord_body_files_deleted",
            "Body files deleted since then.",
            value=self._services.sweep.deleted,
        )
        yield GaugeMetricFamily(
            "accord_bundles_past_their_time",
            "Past expires, not erased yet.",
            value=self._services.retention.due(now=self._services.clock()),
        )
