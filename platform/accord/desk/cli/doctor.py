"""What is wrong with a desk's installation, and how to mend it."""

import httpx2

from accord.clock import Clock, moment
from accord.config import read_passphrase
from accord.desk.config import DeskConfig
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.journal_check import (
    JournalReport,
    OtherJournal,
    ToldRestart,
    compare_journal,
    short,
)
from accord.desk.exchange.journal_doubts import doubts
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.keyring import unlock_keyring
from accord.desk.storage import Vault, open_vault
from accord.desk.storage.vault import check_pages, explained
from accord.findings import (
    Finding,
    attempt,
    examine_clock,
    examine_cryptography,
    examine_disk_speed,
    examine_modes,
    examine_passphrase_file,
    examine_port,
    examine_room,
    well,
    wrong,
)
from accord.kernel.directory.rootfile import verify_root
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.journals import Cause
from accord.protocol import paths

ANSWER_SECONDS = 5.0


def examine_desk(
    config: DeskConfig, *, clock: Clock, transport: httpx2.BaseTransport | None = None
) -> list[Finding]:
    """Return the findings about the desk of ``config``.

    Args:
        config: its settings, which could be read.
        clock: the present time.
        transport: how the hub is reached; the network when absent.
    """
    home = config.home
    findings = [well("settings", f"hub {config.hub}")]
    findings += examine_modes([home, config.keys_file, config.vault_file, config.recovery_file])
    findings += [
        examine_passphrase_file(),
        examine_cryptography(),
        _examine_recovery(config),
        _examine_membership(config),
        attempt("root file", lambda: _root(config)),
        *_examine_vault(config, clock, transport),
        examine_room(home),
        examine_disk_speed(home),
        examine_port("127.0.0.1", config.port),
    ]
    with httpx2.Client(timeout=ANSWER_SECONDS, transport=transport, trust_env=False) as client:
        findings += _examine_hub(config, client, clock)
    return findings


def _examine_recovery(config: DeskConfig) -> Finding:
    if config.recovery_file.exists():
        left = Refused(
            "recovery_key_here",
            "The recovery key still lies on this computer: whoever steals the desk has it too.",
            observed=config.recovery_file.name,
            next_step="Move it to a safe place away from this computer.",
        )
        return wrong("recovery key", left, warning=True)
    return well("recovery key", "not on this computer")


def _examine_membership(config: DeskConfig) -> Finding:
    if config.org is None:
        error = AuthenticationNeeded(
            "not_enrolled",
            "This desk is not enrolled at a hub yet.",
            next_step="Run accord desk enrol; then the registrar approves it.",
        )
        return wrong("membership", error)
    return well("membership", str(config.org))


def _root(config: DeskConfig) -> str:
    if not config.root_file.is_file():
        raise AuthenticationNeeded(
            "root_missing", "This desk trusts no root file yet.", next_step="Run accord desk enrol."
        )
    root = verify_root(config.root_file.read_bytes())
    if config.org is not None and not config.org.endswith(f"@{root.hub}"):
        raise VerificationFailed(
            "root_other",
            "The root file is that of another hub.",
            observed=root.hub,
            next_step="Give this desk its own home again; a desk belongs to one hub.",
        )
    return f"{root.hub} version {root.version}, SHA-256 {root.sha256.hex()[:16]}…"


def _examine_vault(
    config: DeskConfig, clock: Clock, transport: httpx2.BaseTransport | None
) -> list[Finding]:
    """Look at every page, then at every row of the journal."""
    passphrase = read_passphrase()
    if passphrase is None:
        return [well("keys and vault", "not opened: no passphrase file is set")]
    try:
        keyring = unlock_keyring(config.keys_file, passphrase)
        vault = open_vault(config.vault_file, keyring.vault)
    except AccordError as error:
        return [wrong("keys and vault", error)]
    try:
        found = [attempt("keys and vault", lambda: f"opened; {check_pages(vault)}")]
        if found[0].problem is None and config.org is not None and config.root_file.is_file():
            client = HubClient(config.hub, clock=clock, key=keyring.request, transport=transport)
            with client:
                found += _journal(config, config.org, vault, client, clock)
    finally:
        vault.close()
    return found


def _journal(
    config: DeskConfig, org: OrgId, vault: Vault, client: HubClient, clock: Clock
) -> list[Finding]:
    """Compare the journal with every head in the hub's witnessed log; tell what else is there."""
    try:
        root_file = config.root_file.read_bytes()
        mirror = DirectoryMirror(vault, client, root_file=root_file, clock=clock)
        with explained():
            report = compare_journal(vault, client, mirror, org=org, clock=clock).report
    except AccordError as error:
        return [wrong("journal", error), *_doubts(vault, None, clock)]
    first = (
        well("journal", report.words())
        if report.problem is None
        else wrong("journal", report.problem)
    )
    return [first, *_doubts(vault, report, clock), *_beside(report)]


def _doubts(vault: Vault, report: JournalReport | None, clock: Clock) -> list[Finding]:
    """Tell why heads do not get to the hub, or cannot be compared."""
    try:
        with explained():
            found = list(doubts(vault, report, now=clock()))
    except AccordError as error:
        return [wrong("journal heads", error)]
    return [wrong("journal heads", one.error, warning=one.warning) for one in found]


def _beside(report: JournalReport) -> list[Finding]:
    """Tell every restart and every other journal: for ever, and as no alarm."""
    restarts = [well("journal restarted", _restart_words(one)) for one in report.restarts]
    return restarts + [well("another journal", _other_words(one)) for one in report.others]


def _restart_words(told: ToldRestart) -> str:
    one = told.logged.restart
    before = "what was sent before names" if one.ended is None else short(one.ended)
    if one.cause is Cause.LOST_DESK:
        what = f"{before} of a desk that is gone ended at its {told.rows} rows"
    elif one.cause is not Cause.SECOND_DESK and (one.ended is not None or one.kept < told.rows):
        what = f"{before} ended at {one.kept} of {told.rows} rows; {short(one.journal)} goes on"
    else:
        what = f"{short(one.journal)} stands on its own"
    by = "at another desk or vault" if told.person is None else f"here by {told.person}"
    at = f"{moment(told.logged.at)}, event {told.logged.number}"
    return f"{what} ({one.cause.value}), said {by}; {at}"


def _other_words(one: OtherJournal) -> str:
    since, last = moment(one.since), moment(one.last)
    return f"{one.journal.hex()} of another vault: {one.rows} rows, since {since}, last {last}"


def _examine_hub(config: DeskConfig, client: httpx2.Client, clock: Clock) -> list[Finding]:
    try:
        answer = client.get(f"{config.hub}{paths.HEALTH}")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        unreachable = Unavailable(
            "hub_unreachable",
            "The hub does not answer.",
            observed=f"{config.hub}: {type(error).__name__}",
            next_step="Look at the network; sending and receiving go on when it is back.",
        )
        return [wrong("hub", unreachable)]
    return [
        well("hub", f"answers with {answer.status_code}"),
        examine_clock("clock against the hub", answer.headers.get("Date", ""), now=clock()),
    ]
