"""``accord registrar``: make a registrar's keys and sign, on another machine than the hub's.

Shows in words what is about to be signed and asks. Keeps the root file that it signed, so that
later signings know the other registrars and the six words. It talks to no network.
"""

from pathlib import Path

import click

from accord.cli.registrar_words import in_words
from accord.clock import system_clock
from accord.kernel.directory.countersigning import (
    MAX_DOCUMENT,
    Document,
    DocumentKind,
    add_signature,
    join_documents,
    needed_signatures,
    read_document,
    verify_signatures,
)
from accord.kernel.directory.growth import ACCEPT_WINDOW
from accord.kernel.directory.registrars import Registrar, format_registrar
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.statements import Op, Statement
from accord.kernel.directory.words import six_words
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Conflict, Malformed, NotFound, Refused
from accord.kernel.identifiers import KeyId, org_hub, parse_org_name
from accord.kernel.keys import SigningKeyPair, require_post_quantum
from accord.keyfile import load_keys, save_keys
from accord.terminal import Terminal, common_options

KEY_FILE = "registrar.key"
ROOT_FILE = "root.json"


@click.group()
def registrar() -> None:
    """The registrar's keys, kept off the hub."""


@registrar.command()
@click.option("--name", required=True, help="Short name, for example registrar-anna.")
@common_options
def init(terminal: Terminal, name: str) -> None:
    """Make a registrar's keys here and write the public file for the hub's operator."""
    require_post_quantum()
    parse_org_name(name)
    key_file = terminal.home / KEY_FILE
    public_file = terminal.home / f"{name}.registrar.json"
    for path in (key_file, public_file):
        _require_absent(path)
    pair = SigningKeyPair.generate()
    if not terminal.dry_run:
        passphrase = terminal.passphrase("New passphrase for the registrar's keys", twice=True)
        terminal.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_keys(
            key_file,
            {"name": name.encode(), "ed25519": pair.seeds[0], "mldsa65": pair.seeds[1]},
            passphrase,
        )
        _write_new(public_file, format_registrar(Registrar(name=name, key=pair.public)))
    terminal.say(
        "Nothing was written (--dry-run)."
        if terminal.dry_run
        else f"Next: give {public_file} to the hub's operator. The key file never leaves this "
        "machine; keep a backup and its passphrase apart."
    )
    terminal.result(
        {
            "name": name,
            "kid": b64encode(pair.kid),
            "public_file": str(public_file),
            "key_file": str(key_file),
            "written": not terminal.dry_run,
        },
        f"Registrar {name}\n  key id       {b64encode(pair.kid)}\n  public file  {public_file}",
    )


@registrar.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the signed file goes; it must not exist.",
)
@click.option(
    "--root",
    "root_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The hub's signed root file. Default: the one signed last from this directory.",
)
@common_options
def sign(terminal: Terminal, files: tuple[Path, ...], output: Path, root_path: Path | None) -> None:
    """Sign a root file, an enrolment or other statement, or a charter.

    Several FILES are copies of one document that other registrars have signed: their signatures
    are joined. The output goes to the next registrar, or to the hub when it is complete.
    """
    _require_absent(output)
    document = join_documents([read_document(_read(path)) for path in files])
    root_data = _find_root(terminal, root_path, document)
    root = _root_for(document, root_data)
    needed = needed_signatures(document, root)
    verify_signatures(document, root)
    words = _six_words(document, root_data)
    lines = in_words(document, words)
    terminal.say("You are about to sign:\n" + "\n".join(f"  {line}" for line in lines))
    _warn_when_stale(terminal, document)
    if terminal.dry_run:
        signed = document
    else:
        signed = _signed(terminal, document, root_data, root, words)
        _write_new(output, signed.raw)
        _keep_root(terminal, signed)
    have = verify_signatures(signed, root)
    complete = have >= needed
    terminal.result(
        {
            "document": document.kind.value,
            "says": lines,
            "six_words": list(words),
            "signatures": have,
            "needed": needed,
            "complete": complete,
            "file": str(output),
            "written": not terminal.dry_run,
        },
        f"{have} of {needed} registrars have signed {output}.\n"
        + (
            "Next: give it to the hub's operator."
            if complete
            else "Next: give it to the next registrar."
        ),
    )


def _signed(
    terminal: Terminal,
    document: Document,
    root_data: bytes | None,
    root: RootFile,
    words: tuple[str, ...],
) -> Document:
    """Ask, unlock the keys, check that they are a registrar's here, and sign."""
    question = (
        "Did the organisation read out the same six words, over a number that you did not get "
        "from the hub?"
        if words
        else "Sign this?"
    )
    if not terminal.confirm(question):
        raise Refused(
            "not_confirmed",
            "Nothing was signed.",
            next_step="Answer yes, or give --yes when you have checked it.",
        )
    kept = load_keys(
        terminal.home / KEY_FILE, terminal.passphrase("Passphrase of the registrar's keys")
    )
    if not {"ed25519", "mldsa65"} <= kept.keys():
        raise Malformed("keyfile_content", "This is not a registrar's key file.")
    pair = SigningKeyPair.from_seeds(kept["ed25519"], kept["mldsa65"])
    if pair.kid not in root.registrar_keys:
        raise Refused(
            "not_a_registrar",
            f"The root file of {root.hub} does not name this key as a registrar's.",
            observed=b64encode(pair.kid),
            next_step="Give your public file to the hub's operator for the next root file.",
        )
    _require_trusted(root_data, root, pair.kid)
    return add_signature(document, pair)


def _find_root(terminal: Terminal, path: Path | None, document: Document) -> bytes | None:
    """Return the signed root file to judge by; ``None`` when a root file itself is signed."""
    kept = terminal.home / ROOT_FILE
    if document.kind is DocumentKind.ROOT:
        if path is not None or kept.exists():
            _check_newer(_read(path or kept), document)
        return None
    if path is None and not kept.exists():
        raise Refused(
            "root_needed",
            "To sign this, the hub's root file is needed.",
            next_step="Give it with --root FILE.",
        )
    return _read(path or kept)


def _check_newer(data: bytes, document: Document) -> None:
    """Refuse a root file that would take the place of a newer or a foreign one."""
    held, offered = read_document(data).content, document.content
    if not isinstance(held, RootFile) or not isinstance(offered, RootFile):
        raise Malformed("root_invalid", "The file kept here is not a root file.")
    if held.sha256 == offered.sha256:
        return
    if held.hub != offered.hub:
        raise Conflict(
            "root_other_hub",
            f"This directory is for the registrar of {held.hub}.",
            observed=offered.hub,
            next_step="Use another --home for another hub.",
        )
    if (offered.version, offered.prev) != (held.version + 1, held.sha256):
        raise Conflict(
            "root_not_successor",
            f"The version after {held.version}, naming its hash, is expected.",
            observed=f"version {offered.version}",
            next_step="Ask the hub's operator which root files were signed in between.",
        )


def _root_for(document: Document, data: bytes | None) -> RootFile:
    """Return the root file to judge by; its signatures so far hold, however many they are."""
    if data is None and isinstance(document.content, RootFile):
        return document.content
    kept = read_document(data or b"")
    root = kept.content
    if not isinstance(root, RootFile):
        raise Malformed("root_invalid", "The file given as root file is none.")
    verify_signatures(kept, root)
    if isinstance(document.content, Statement) and org_hub(document.content.org) != root.hub:
        raise Conflict(
            "hub_wrong",
            f"The root file is that of {root.hub}.",
            observed=document.content.org,
        )
    return root


def _require_trusted(root_data: bytes | None, root: RootFile, own: KeyId) -> None:
    """Require that the threshold signed the root file, or that this registrar did."""
    if root_data is None:
        return
    kept = read_document(root_data)
    if own not in {pair.kid for pair in kept.pairs} and (
        verify_signatures(kept, root) < root.threshold
    ):
        raise Refused(
            "root_incomplete",
            "The root file is signed neither by you nor by enough registrars.",
            next_step="Get the complete root file, and compare it with another registrar.",
        )


def _six_words(document: Document, root_data: bytes | None) -> tuple[str, ...]:
    statement = document.content
    if (
        root_data is None
        or not isinstance(statement, Statement)
        or statement.op not in {Op.ENROL, Op.RECOVER}
        or not document.pairs
    ):
        return ()
    return six_words(root_data, document.raw)


def _warn_when_stale(terminal: Terminal, document: Document) -> None:
    if not isinstance(document.content, Statement):
        return
    age = system_clock() - document.content.not_before
    if not -ACCEPT_WINDOW < age < ACCEPT_WINDOW:
        terminal.say(
            f"Warning: it was made {age // 3600} hours ago by this machine's clock; the hub "
            "accepts a statement within 24 hours."
        )


def _keep_root(terminal: Terminal, document: Document) -> None:
    """Keep the root file that was signed here, for later signings."""
    if document.kind is not DocumentKind.ROOT:
        return
    kept = terminal.home / ROOT_FILE
    fresh = terminal.home / f"{ROOT_FILE}.new"
    fresh.write_bytes(document.raw)
    fresh.replace(kept)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise NotFound(
            "file_unreadable", "The file cannot be read.", observed=f"{path}: {error.strerror}"
        ) from error
    if len(data) > MAX_DOCUMENT:
        raise Malformed("too_long", f"The file is longer than {MAX_DOCUMENT} bytes.")
    return data


def _require_absent(path: Path) -> None:
    if path.exists():
        raise Conflict(
            "file_exists",
            "The file exists and is not overwritten.",
            observed=str(path),
            next_step="Choose another name, or move it away.",
        )


def _write_new(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise Refused(
            "file_unwritable",
            "The file cannot be written.",
            observed=f"{path}: {error.strerror}",
        ) from error
