"""What is wrong with a hub's installation: looked at from outside, whether it serves or not.

Reads only; the logs' own content is for ``accord hub check``.
"""

import hashlib
from functools import partial

import httpx2

from accord.clock import Clock
from accord.config import read_passphrase
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
from accord.hub.cli.identity import load_hub_keys
from accord.hub.cli.opened import check_keys, read_root
from accord.hub.config import HubConfig
from accord.hub.storage.examination import database_state, looking_at, require_sound
from accord.hub.transparency import LogName, LogReader
from accord.kernel.directory.rootfile import RootFile, Witness
from accord.kernel.errors import AccordError, Conflict, Refused, Unavailable
from accord.kernel.tlog.checkpoint import verify_checkpoint
from accord.protocol import paths

ANSWER_SECONDS = 5.0
"""How long a witness or the hub itself may take to answer."""

MAX_NOTE = 64 * 1024


def examine_hub(
    config: HubConfig, *, clock: Clock, transport: httpx2.BaseTransport | None = None
) -> list[Finding]:
    """Return the findings about the hub of ``config``.

    Args:
        config: its settings, which could be read.
        clock: the present time.
        transport: how the witnesses are reached; the network when absent.
    """
    home = config.home
    findings = [well("settings", f"{config.origin}, {len(config.authorities)} names from outside")]
    findings += examine_modes([home, config.keys, config.database_file, config.bodies])
    findings += [examine_passphrase_file(), examine_cryptography()]
    root, seen = _examine_root(config)
    findings += [seen, _examine_keys(config, root)]
    sizes, more = _examine_database(config, root)
    findings += more
    findings += [examine_room(home), examine_disk_speed(home), _examine_leftovers(config)]
    with httpx2.Client(timeout=ANSWER_SECONDS, transport=transport, trust_env=False) as client:
        findings.append(_examine_port(config, client))
        for witness in root.witnesses if root is not None else ():
            if witness.url is not None and root is not None:
                findings += _examine_witness(client, root, witness, sizes, clock)
    return findings


def _examine_root(config: HubConfig) -> tuple[RootFile | None, Finding]:
    try:
        _, root = read_root(config)
    except AccordError as error:
        return None, wrong("root file", error)
    return root, well("root file", f"version {root.version}, SHA-256 {root.sha256.hex()[:16]}…")


def _examine_keys(config: HubConfig, root: RootFile | None) -> Finding:
    def examine() -> str:
        passphrase = read_passphrase()
        if passphrase is None:
            return "not opened: no passphrase file is set"
        keys = load_hub_keys(config, passphrase)
        if root is None:
            return "opened; there is no root file to compare with"
        check_keys(keys, root)
        return "opened; the root file names them"

    return attempt("log keys", examine)


def _examine_database(
    config: HubConfig, root: RootFile | None
) -> tuple[dict[LogName, int], list[Finding]]:
    """Return the sizes of the logs, and what was found."""
    sizes: dict[LogName, int] = {}
    try:
        with looking_at(config.place) as engine:
            findings = [attempt("database", lambda: require_sound(database_state(engine)))]
            if findings[0].problem is not None:
                return sizes, findings
            reader = LogReader(engine)
            findings += [_examine_head(reader, root, name, sizes) for name in LogName]
            return sizes, findings
    except AccordError as error:
        return sizes, [wrong("database", error)]


def _examine_head(
    reader: LogReader, root: RootFile | None, name: LogName, sizes: dict[LogName, int]
) -> Finding:
    def examine() -> str:
        head, cosigned = reader.head(name), reader.cosigned(name)
        if head is None:
            return "empty"
        sizes[name] = head.size
        if root is not None:
            verify_checkpoint(
                head.note, origin=root.log_origin(name), log_vkeys=root.log_vkeys(name)
            )
        return f"{head.size} entries signed, {cosigned.size if cosigned else 0} of them witnessed"

    return attempt(f"log {name}", examine)


def _examine_leftovers(config: HubConfig) -> Finding:
    found = sorted(path.name for path in config.home.parent.glob(f"{config.home.name}.restoring*"))
    drafts = sorted(path.name for path in config.bodies.glob("*/*.draft"))
    if found or drafts:
        return wrong(
            "leftovers",
            Refused(
                "leftovers_found",
                "Files of an act that was cut off lie about.",
                observed=", ".join([*found, *drafts[:3]]),
                next_step="Stop the hub and delete them; no row of the database names them.",
            ),
            warning=True,
        )
    return well("leftovers", "none")


def _examine_port(config: HubConfig, client: httpx2.Client) -> Finding:
    finding = examine_port(config.host, config.port)
    if finding.problem is None:
        return finding
    host = "127.0.0.1" if config.host == "0.0.0.0" else config.host  # noqa: S104 - not listening
    try:
        answer = client.get(f"http://{host}:{config.port}{paths.HUB}")
        if answer.status_code == httpx2.codes.OK and answer.json()["origin"] == config.origin:
            return well("port", f"{host}:{config.port}: this hub serves there")
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        pass
    return finding


def _examine_witness(
    client: httpx2.Client,
    root: RootFile,
    witness: Witness,
    sizes: dict[LogName, int],
    clock: Clock,
) -> list[Finding]:
    findings: list[Finding] = []
    date = ""
    for name in LogName:
        check = f"witness {witness.name}, log {name}"
        try:
            status, note, date = _ask(client, witness, root.log_origin(name))
            examine = partial(_compare, root, name, status, note, sizes)
            findings.append(attempt(check, examine))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            unreachable = Unavailable(
                "witness_unreachable",
                "A witness does not answer; receipts wait, and an older copy is not noticed.",
                observed=f"{witness.url}: {type(error).__name__}",
                next_step="Ask its operator; look at the network between.",
            )
            return [wrong(f"witness {witness.name}", unreachable)]
    return [*findings, examine_clock(f"clock against {witness.name}", date, now=clock())]


def _ask(client: httpx2.Client, witness: Witness, origin: str) -> tuple[int, bytes, str]:
    digest = hashlib.sha256(origin.encode("utf-8")).hexdigest()
    address = f"{(witness.url or '').rstrip('/')}/{digest}/checkpoint"
    data = bytearray()
    with client.stream("GET", address) as answer:
        for piece in answer.iter_bytes():
            data += piece
            if len(data) > MAX_NOTE:
                break
    return answer.status_code, bytes(data[:MAX_NOTE]), answer.headers.get("Date", "")


def _compare(
    root: RootFile, name: LogName, status: int, note: bytes, sizes: dict[LogName, int]
) -> str:
    """Return what a witness knows; what it shows counts only under our own keys.

    Raises:
        Conflict: ``behind_witness``.
        Refused: ``witness_follows_not``.
        AccordError: what it shows does not hold.
    """
    if status != httpx2.codes.OK:
        raise Refused(
            "witness_follows_not",
            "The witness does not know this log, or has cosigned none of it.",
            observed=f"status {status}",
            next_step="Its operator: accord witness log add --root root.json",
        )
    shown = verify_checkpoint(note, origin=root.log_origin(name), log_vkeys=root.log_vkeys(name))
    here = sizes.get(name, 0)
    if shown.size > here:
        raise Conflict(
            "behind_witness",
            "A witness has seen a longer log than this database holds.",
            observed=f"{shown.size}, here: {here}",
            next_step="This is an older copy. Restore the newest backup; never sign from it.",
        )
    return f"knows {shown.size} of {here} entries"
