"""Builds the rooms of one hub from its settings, keys and root file, and hands them down."""

from dataclasses import dataclass

import httpx2

from accord.clock import Clock
from accord.hub.access.nonces import SharedNonceCache
from accord.hub.audit import Recorder
from accord.hub.audit.events import Keeping
from accord.hub.backups import Backups
from accord.hub.bundles import (
    Acknowledgements,
    BodySweep,
    Bundles,
    Deliveries,
    Limits,
    Quarantine,
    QuotaRecords,
    Quotas,
    RecallCounts,
    Receipts,
    Retention,
    Shelf,
    Visibility,
)
from accord.hub.bundles.partners import partners
from accord.hub.config import HubConfig
from accord.hub.directory import Directory, Enrolments, Statements
from accord.hub.feed import Feed
from accord.hub.jobs import Jobs, JobTable
from accord.hub.people import People, PeoplePolicy, build_people, people_keys
from accord.hub.storage import WITNESSES, BodyStore, Database, Listener, Turn, Writer, open_database
from accord.hub.summaries import Releases, Summaries
from accord.hub.trail import Erasures, Journals, OwnEvents, SelfAudit, Trail
from accord.hub.trail.pruning import LOOK_SECONDS as PRUNING_SECONDS
from accord.hub.trail.pruning import Pruning
from accord.hub.trail.selfaudit import LOOK_SECONDS as SELF_AUDIT_SECONDS
from accord.hub.transparency import (
    LogName,
    LogReader,
    LogSequencer,
    WitnessPlace,
    WitnessRound,
)
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.tlog.notes import LogKeyPair

QUOTA_SECONDS = 60
"""Time between two records of refusals that were only counted."""

EXPIRY_SECONDS = 5
"""Time between two looks for expired bundles."""

ERASURE_SECONDS = 60
"""Time between two looks for expired bundles whose sealed bytes are still here."""

SWEEP_SECONDS = 3600
"""Time between two looks for files without a row and for tombstones that are old enough."""

NONCE_SECONDS = 60
"""Time between two looks for nonces that may be dropped."""

WITNESS_SECONDS = 10.0
"""How long one witness may take to answer."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The rooms of one running hub."""

    config: HubConfig
    root: RootFile
    root_bytes: bytes
    clock: Clock
    database: Database
    writer: Writer
    logs: LogSequencer
    reader: LogReader
    recorder: Recorder
    directory: Directory
    enrolments: Enrolments
    statements: Statements
    people: People
    feed: Feed
    bundles: Bundles
    deliveries: Deliveries
    quarantine: Quarantine
    receipts: Receipts
    recalls: RecallCounts
    retention: Retention
    visibility: Visibility
    sweep: BodySweep
    acknowledgements: Acknowledgements
    summaries: Summaries
    releases: Releases
    trail: Trail
    erasures: Erasures
    self_audit: SelfAudit
    pruning: Pruning
    own_events: OwnEvents
    journals: Journals
    backups: Backups
    nonces: SharedNonceCache | None
    jobs: Jobs
    job_table: JobTable
    rounds: WitnessRound
    client: httpx2.Client

    def close(self) -> None:
        """Finish what waits and close everything."""
        self.jobs.stop()
        self.writer.close()
        self.database.close()
        self.client.close()


def build_services(
    config: HubConfig,
    *,
    root: RootFile,
    root_bytes: bytes,
    keys: dict[LogName, LogKeyPair],
    clock: Clock,
    transport: httpx2.BaseTransport | None = None,
) -> Services:
    """Open the database of ``config`` and build the rooms over it.

    Args:
        config: the hub's settings.
        root: the root file in force, verified.
        root_bytes: the same as signed bytes.
        keys: the log keys; they must be those that the root file names.
        clock: the present time.
        transport: how witnesses are reached; the network when absent.
    """
    database = open_database(config.place)
    logs = LogSequencer(keys, clock)
    recorder = Recorder(logs)
    quotas = Quotas(
        Limits(
            bundles_per_minute=config.bundles_per_minute,
            bundles_per_hour=config.bundles_per_hour,
            bytes_per_day=config.megabytes_per_day * 1_000_000,
            open_requests=config.open_requests,
        ),
        logs,
    )
    shelf = Shelf()
    writer = Writer(database.writing, [logs, recorder, quotas, shelf, *database.participants()])
    reader = LogReader(database.reading)
    client = httpx2.Client(timeout=WITNESS_SECONDS, transport=transport, trust_env=False)
    rounds = WitnessRound(
        reader=reader,
        writer=writer,
        witnesses=[
            WitnessPlace(name=witness.name, url=witness.url)
            for witness in root.witnesses
            if witness.url is not None
        ],
        policies={name: root.log_policy(name) for name in LogName},
        client=client,
        clock=clock,
    )
    directory = Directory(
        root=root,
        engine=database.reading,
        writer=writer,
        logs=logs,
        reader=reader,
        recorder=recorder,
        partners=partners,
    )
    feed = Feed(
        engine=database.reading,
        writer=writer,
        reader=reader,
        waiters=config.threads // 4,
        days=config.feed_days,
    )
    bodies = BodyStore(config.bodies)
    bundles = Bundles(
        engine=database.reading,
        writer=writer,
        recorder=recorder,
        bodies=bodies,
        directory=directory,
        feed=feed,
        quotas=quotas,
        shelf=shelf,
    )
    deliveries = Deliveries(
        engine=database.reading,
        writer=writer,
        recorder=recorder,
        bodies=bodies,
        directory=directory,
        feed=feed,
        places=config.threads // 4,
    )
    refusals = QuotaRecords(writer=writer, recorder=recorder, quotas=quotas)
    sweep = BodySweep(writer=writer, bodies=bodies)
    retention = Retention(
        engine=database.reading, writer=writer, recorder=recorder, sweep=sweep, feed=feed
    )
    job_table = JobTable(engine=database.reading, writer=writer)
    jobs = Jobs(
        logs=logs,
        rounds=rounds,
        table=job_table,
        turn=Turn(database.address, WITNESSES),
        listener=None
        if database.address is None
        else Listener(database.address, [feed.notify, logs.wake, rounds.wake], name=database.name),
        clock=clock,
    )
    jobs.every("expiry", EXPIRY_SECONDS, lambda now: retention.expire(now=now))
    visibility = Visibility(
        engine=database.reading,
        writer=writer,
        recorder=recorder,
        directory=directory,
        feed=feed,
    )
    jobs.every("erasure", ERASURE_SECONDS, lambda now: retention.erase(now=now))
    jobs.every("sweep", SWEEP_SECONDS, lambda now: sweep.sweep(now=now))
    jobs.every("visibility", EXPIRY_SECONDS, lambda now: visibility.look(now=now))
    jobs.every("feed-prune", SWEEP_SECONDS, lambda now: feed.prune(now=now))
    jobs.every(
        "quotas", QUOTA_SECONDS, lambda now: refusals.record_refusals(now=now), each_process=True
    )
    nonces = None if database.beside is None else SharedNonceCache(database.beside)
    if nonces is not None:
        jobs.every("nonces", NONCE_SECONDS, lambda now: nonces.drop_old(now=now), each_process=True)
    self_audit = SelfAudit(
        engine=database.reading,
        writer=writer,
        recorder=recorder,
        bodies=bodies,
        root=root,
    )
    pruning = Pruning(
        engine=database.reading,
        writing=database.writing,
        writer=writer,
        recorder=recorder,
        days={
            Keeping.EXCHANGE: config.keep_exchange_days,
            Keeping.GOVERNANCE: config.keep_governance_days,
            Keeping.ACCESS: config.keep_access_days,
        },
    )
    jobs.every("trail-retention", PRUNING_SECONDS, lambda now: pruning.run(now=now))
    jobs.every("self-audit", SELF_AUDIT_SECONDS, lambda now: self_audit.due(now=now))
    return Services(
        config=config,
        root=root,
        root_bytes=root_bytes,
        clock=clock,
        database=database,
        writer=writer,
        logs=logs,
        reader=reader,
        recorder=recorder,
        directory=directory,
        enrolments=Enrolments(
            engine=database.reading,
            writer=writer,
            recorder=recorder,
            directory=directory,
            clock=clock,
        ),
        statements=Statements(
            engine=database.reading,
            writer=writer,
            recorder=recorder,
            directory=directory,
            clock=clock,
        ),
        people=build_people(
            engine=database.reading,
            writer=writer,
            recorder=recorder,
            keys=people_keys(keys[LogName.AUDIT]),
            policy=PeoplePolicy(passwords=config.passwords, factor_for_all=config.factor_for_all),
            clock=clock,
        ),
        feed=feed,
        bundles=bundles,
        deliveries=deliveries,
        quarantine=Quarantine(engine=database.reading, writer=writer, recorder=recorder, feed=feed),
        receipts=Receipts(
            engine=database.reading, reader=reader, rounds=rounds, waiters=config.threads // 2
        ),
        recalls=RecallCounts(engine=database.reading, writer=writer, recorder=recorder),
        retention=retention,
        visibility=visibility,
        sweep=sweep,
        acknowledgements=Acknowledgements(
            engine=database.reading, writer=writer, recorder=recorder, directory=directory
        ),
        summaries=Summaries(
            engine=database.reading, writer=writer, recorder=recorder, directory=directory
        ),
        releases=Releases(
            engine=database.reading, writer=writer, recorder=recorder, directory=directory
        ),
        trail=Trail(
            engine=database.reading,
            writer=writer,
            recorder=recorder,
            directory=directory,
            reader=reader,
        ),
        erasures=Erasures(
            engine=database.reading,
            writing=database.writing,
            writer=writer,
            recorder=recorder,
            file=config.erasures,
        ),
        self_audit=self_audit,
        pruning=pruning,
        own_events=OwnEvents(engine=database.reading, reader=reader),
        journals=Journals(engine=database.reading, writer=writer, recorder=recorder),
        nonces=nonces,
        jobs=jobs,
        backups=Backups(config=config, database=database, writer=writer, recorder=recorder),
        job_table=job_table,
        rounds=rounds,
        client=client,
    )
