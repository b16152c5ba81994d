"""What is wrong with a hub's installation: looked at from outside, whether it serves or not.

Reads only; the logs' own content is for ``accord hub check``.
"""

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
from accord.hub.transparency import LogName, LogReader, ask_witness, compare_with_witness
from accord.kernel.directory.rootfile import RootFile, Witness
from accord.kernel.errors import AccordError, Refused, Unavailable
from accord.kernel.tlog.checkpoint import verify_checkpoint
from accord.protocol import paths

ANSWER_SECONDS = 5.0
"""How long a witness or the hub itself may take to answer."""


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
    with httpx2.Client(timeout=ANSWER_SECONDS, transport=transport, trust_env=False) as client:
        findings += _examine_database(config, root, client, now=clock())
        findings.append(_examine_port(config, client))
    return [*findings, examine_room(home), examine_disk_speed(home), _examine_leftovers(config)]


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
    config: HubConfig, root: RootFile | None, client: httpx2.Client, *, now: int
) -> list[Finding]:
    """Look at the database, at the signatures of its logs, and at what the witnesses know."""
    try:
        with looking_at(config.place) as engine:
            sound = attempt("database", lambda: require_sound(database_state(engine)))
            if sound.problem is not None or root is None:
                return [sound]
            reader = LogReader(engine)
            heads = [attempt(f"log {name}", partial(_head, reader, root, name)) for name in LogName]
            return [sound, *heads, *examine_witnesses(client, reader, root, now=now)]
    except AccordError as error:
        return [wrong("database", error)]


def _head(reader: LogReader, root: RootFile, name: LogName) -> str:
    head, cosigned = reader.head(name), reader.cosigned(name)
    if head is None:
        return "empty"
    verify_checkpoint(head.note, origin=root.log_origin(name), log_vkeys=root.log_vkeys(name))
    return f"{head.size} entries signed, {cosigned.size if cosigned else 0} of them witnessed"


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


def examine_witnesses(
    client: httpx2.Client, reader: LogReader, root: RootFile, *, now: int
) -> list[Finding]:
    """Ask each witness of the root file what it knows of our logs; submit nothing."""
    return [
        finding
        for witness in root.witnesses
        if witness.url is not None
        for finding in _examine_witness(client, reader, root, witness, now=now)
    ]


def _examine_witness(
    client: httpx2.Client, reader: LogReader, root: RootFile, witness: Witness, *, now: int
) -> list[Finding]:
    findings: list[Finding] = []
    date = ""
    for name in LogName:
        try:
            shown = ask_witness(client, witness, root.log_origin(name))
        except Unavailable as error:
            return [wrong(f"witness {witness.name}", error)]
        compare = partial(compare_with_witness, reader, root, name, shown)
        findings.append(attempt(f"witness {witness.name}, log {name}", compare))
        date = shown.date
    return [*findings, examine_clock(f"clock against {witness.name}", date, now=now)]
