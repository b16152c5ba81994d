"""``accord verify FILE``: check a receipt, a bundle, a delivery or one disclosed record.

Needs no account. A receipt is checked offline with the hub's root file. A bundle's signatures need
the directory: a desk's own copy (``--home``), or the hub's directory log (``--hub``), replayed and
checked against the root file; the hub is not believed. Nothing is decrypted.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx2

from accord.clock import system_clock
from accord.kernel.bundle.disclosure import MAGIC as DISCLOSURE_MAGIC
from accord.kernel.bundle.disclosure import parse_disclosure, verify_disclosure
from accord.kernel.bundle.framing import MAGIC as BUNDLE_MAGIC
from accord.kernel.bundle.framing import TRIMMED_MAGIC, parse_bundle, parse_trimmed
from accord.kernel.bundle.model import Header
from accord.kernel.bundle.verification import verify_bundle, verify_trimmed
from accord.kernel.directory.rootfile import LogName, RootFile, verify_root
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.errors import Malformed, Refused, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.merkle import leaf_hash
from accord.kernel.tlog.merkle import root as merkle_root
from accord.kernel.tlog.proof import parse_proof, verify_proof
from accord.kernel.tlog.tiles import entries_path, parse_entries
from accord.protocol import paths
from accord.terminal import Terminal, common_options

MAX_FILE = 512 * 1024 * 1024
PROOF_MAGIC = b"c2sp.org/tlog-proof@v1\n"
WIDTH = 256
SECONDS = 20.0

Found = dict[str, Any]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--root",
    "root_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The hub's root file. Default: that of the desk in --home.",
)
@click.option("--hub", help="The hub's address, to fetch its directory log (bundles only).")
@common_options
def verify(terminal: Terminal, file: Path, root_path: Path | None, hub: str | None) -> None:
    """Check FILE: a receipt, a sealed bundle, a delivery, or one disclosed record."""
    data = _read(file)
    path = root_path or terminal.home / "root.json"
    if not path.is_file():
        raise Refused(
            "root_needed",
            "The hub's root file is needed.",
            next_step="Give it with --root FILE.",
        )
    root = verify_root(path.read_bytes())
    if data.startswith(PROOF_MAGIC):
        found = _receipt(data, root)
    else:
        found = _bundle(data, lambda: _directory(root, hub))
    terminal.result({"ok": True, "file": str(file)} | found, _words(found))


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE:
        raise Malformed("too_long", f"The file is longer than {MAX_FILE} bytes.")
    return file.read_bytes()


def _receipt(data: bytes, root: RootFile) -> Found:
    """Check (1) that the openings make the entry, (2) that witnesses saw the entry in the log."""
    proof = parse_proof(data)
    record = parse_record(proof.extra)
    fields = verify_opening(record.leaf(), record)  # (1)
    verified = verify_proof(data, record.leaf(), root.log_policy(LogName.AUDIT))  # (2)
    return {
        "what": "receipt",
        "index": verified.index,
        "size": verified.checkpoint.size,
        "log": verified.checkpoint.origin,
        "fields": fields,
    }


def _bundle(data: bytes, directory: Callable[[], DirectoryState]) -> Found:
    now = system_clock()
    if data.startswith(BUNDLE_MAGIC):
        sealed = parse_bundle(data)
        verify_bundle(sealed, signer=directory().signer_at, now=now)
        return {"what": "bundle", "recipients": len(sealed.entries)} | _header(sealed.header)
    if data.startswith(TRIMMED_MAGIC):
        trimmed = parse_trimmed(data)
        verify_trimmed(trimmed, signer=directory().signer_at, now=now)
        return {"what": "delivery", "recipient": trimmed.entry.org} | _header(trimmed.header)
    if data.startswith(DISCLOSURE_MAGIC):
        shown = verify_disclosure(parse_disclosure(data), signer=directory().signer_at)
        return {
            "what": "disclosure",
            "signer": shown.signer.org,
            "record": shown.line.decode("utf-8"),
        }
    raise Malformed(
        "file_unknown",
        "This is no receipt, bundle, delivery or disclosure.",
        observed=data[:8].hex(),
        next_step="To check a log, use: accord log verify.",
    )


def _header(header: Header) -> Found:
    return {
        "id": header.id,
        "org": header.org,
        "kind": header.kind.value,
        "created": header.created,
        "expires": header.expires,
        "tlp": header.policy.tlp.value,
        "records": header.n,
    }


def _directory(root: RootFile, hub: str | None) -> DirectoryState:
    """Fetch and replay the directory log; every byte is checked against the root file."""
    if hub is None:
        raise Refused(
            "directory_needed",
            "A bundle's signature is checked with the hub's directory.",
            next_step="Give the hub's address with --hub; it is not believed, only read.",
        )
    base = hub.rstrip("/") + paths.DIRECTORY_LOG
    with httpx2.Client(timeout=SECONDS, trust_env=False) as client:
        note = _get(client, f"{base}/{paths.CHECKPOINT}")
        checkpoint = verify_cosigned(note, root.log_policy(LogName.DIRECTORY))
        entries: list[bytes] = []
        for index in range(-(-checkpoint.size // WIDTH)):
            width = min(WIDTH, checkpoint.size - index * WIDTH)
            entries += parse_entries(_get(client, f"{base}/{entries_path(index, width)}"))
    if merkle_root([leaf_hash(entry) for entry in entries]) != checkpoint.root:
        raise VerificationFailed(
            "log_root_wrong", "The directory's entries do not give the witnessed root."
        )
    return replay(entries, root)


def _get(client: httpx2.Client, url: str) -> bytes:
    try:
        answer = client.get(url)
    except httpx2.HTTPError as error:
        raise Unavailable(
            "hub_unreachable", "The hub does not answer.", observed=type(error).__name__
        ) from error
    if answer.status_code != httpx2.codes.OK:
        raise Unavailable(
            "hub_unreachable", "The hub has no such file.", observed=f"{answer.status_code} {url}"
        )
    return answer.content


def _words(found: Found) -> str:
    lines = [f"The {found['what']} holds."]
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [f"  {inner}: {text}" for inner, text in value.items()]
        elif name != "what":
            lines.append(f"  {name}: {value}")
    return "\n".join(lines)
