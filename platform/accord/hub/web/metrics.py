"""Counts for the operator: answers by status, log sizes. No label names an organisation."""

import time

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from accord.clock import Clock
from accord.hub.bundles import BodySweep, Retention
from accord.hub.services import Services
from accord.hub.trail import SelfAudit
from accord.hub.transparency import LogName, LogReader

_START = "accord.metrics.start"
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30)


class _Logs(Collector):
    """Sizes of the logs, read at each scrape."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the size of each log, and of its newest witnessed checkpoint."""
        size = GaugeMetricFamily("accord_log_size", "Entries of a log.", labels=["log"])
        seen = GaugeMetricFamily(
            "accord_log_witnessed_size", "Entries under a quorum.", labels=["log"]
        )
        for name in LogName:
            head, cosigned = self._reader.head(name), self._reader.cosigned(name)
            size.add_metric([name.value], head.size if head else 0)
            seen.add_metric([name.value], cosigned.size if cosigned else 0)
        return [size, seen]


class _SelfAudit(Collector):
    """How the newest self-audit ended, read at each scrape."""

    def __init__(self, self_audit: SelfAudit) -> None:
        self._self_audit = self_audit

    def collect(self) -> list[GaugeMetricFamily]:
        """Return when it ran, 0 for never, and whether everything fitted."""
        last = self._self_audit.last()
        return [
            GaugeMetricFamily(
                "accord_self_audit_time_seconds",
                "Unix second of the newest self-audit.",
                value=last.at if last else 0,
            ),
            GaugeMetricFamily(
                "accord_self_audit_ok",
                "1 when everything fitted.",
                value=int(last is not None and last.ok),
            ),
        ]


class _Retention(Collector):
    """What was deleted by this process, and what is due now."""

    def __init__(self, retention: Retention, sweep: BodySweep, clock: Clock) -> None:
        self._retention = retention
        self._sweep = sweep
        self._clock = clock

    def collect(self) -> list[Metric]:
        """Return bundles erased, files swept, and bundles past their time that are still here."""
        erased = CounterMetricFamily("accord_bundles_erased", "Bundles erased since the start.")
        erased.add_metric([], self._retention.erased)
        swept = CounterMetricFamily("accord_body_files_deleted", "Body files deleted since then.")
        swept.add_metric([], self._sweep.deleted)
        due = GaugeMetricFamily("accord_bundles_past_their_time", "Past expires, not erased yet.")
        due.add_metric([], self._retention.due(now=self._clock()))
        return [erased, swept, due]


class Metrics:
    """The registry of one hub."""

    def __init__(self, app: Flask, services: Services) -> None:
        """Count every answer of ``app``."""
        self._registry = CollectorRegistry()
        self._registry.register(_Logs(services.reader))
        self._registry.register(_Retention(services.retention, services.sweep, services.clock))
        self._registry.register(_SelfAudit(services.self_audit))
        answers = Counter(
            "accord_answers", "HTTP answers.", ["endpoint", "status"], registry=self._registry
        )
        seconds = Histogram(
            "accord_answer_seconds",
            "Time to an answer in seconds.",
            ["endpoint"],
            registry=self._registry,
            buckets=_BUCKETS,
        )

        def begin() -> None:
            request.environ[_START] = time.perf_counter()

        def finish(response: Response) -> Response:
            endpoint = request.endpoint or "unknown"
            answers.labels(endpoint, str(response.status_code)).inc()
            start = request.environ.get(_START)
            if isinstance(start, float):
                seconds.labels(endpoint).observe(time.perf_counter() - start)
            return response

        app.before_request(begin)
        app.after_request(finish)

    def text(self) -> bytes:
        """Return all counts in Prometheus' text form."""
        return generate_latest(self._registry)
