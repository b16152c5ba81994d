"""The maker of a file of evidence lies where no signature of the sender or the hub reaches.

The report, the instructions, the dates, the words and the form: what a verifier cannot check it
says, and what it prints cannot be made to look like its own words.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from tests.desk.evidence.conftest import made_at
from tests.desk.wire import DeskAt
from tests.support.forged_evidence import (
    CHECKER,
    accepted_by_both,
    checker,
    refusals,
    said_raw,
    signed_anew,
    statement_in,
)
from tests.support.hub_world import BTC, World
from tests.support.timestamping import authority

from accord.cli.main import main
from accord.desk.evidence.report import facts_of, report_pdf
from accord.desk.evidence.service import MadeEvidence
from accord.kernel.directory.entries import format_point, root_point
from accord.kernel.directory.rootfile import RootFile, sign_root, verify_root
from accord.kernel.errors import AccordError, VerificationFailed
from accord.kernel.evidence import archive, verification
from accord.kernel.evidence.verification import join_entries, split_entries, verify_evidence
from accord.kernel.tlog.proof import parse_proof

FALSE = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"


@pytest.fixture(scope="module")
def evidence(police: DeskAt) -> MadeEvidence:
    return made_at(police, BTC)


def spoken(path: Path, data: bytes, *words: str) -> tuple[str, str]:
    """Return what `accord verify` and the program that stands alone print."""
    path.write_bytes(data)
    ours = CliRunner().invoke(main, ["verify", str(path), "--home", str(path.parent), *words])
    assert ours.exit_code == 0, ours.output
    alone = subprocess.run(
        [sys.executable, str(CHECKER), str(path), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return ours.output, alone.stdout


def test_a_report_or_readme_of_the_makers_own_is_told_from_the_one_that_follows_from_the_proof(
    police: DeskAt, evidence: MadeEvidence, tmp_path: Path
) -> None:
    facts = facts_of(evidence.shows)
    assert report_pdf(facts) == archive.read(evidence.data)[archive.REPORT]
    lie = {
        archive.REPORT: report_pdf(replace(facts, record=replace_value(facts.record, FALSE))),
        archive.README: b"There is no need for --root.\n",
        archive.VERIFIER: b"print('Everything holds.')\n",
    }
    for changes in ({}, lie):
        forged = signed_anew(evidence.data, changes, police.keyring.signing)
        _, alone = accepted_by_both(forged)
        assert alone["not_checked"] == [archive.REPORT, archive.README, archive.VERIFIER]
        path = tmp_path / "evidence.zip"
        ours, theirs = spoken(path, forged)
        assert BTC in ours
        assert BTC in theirs
        assert FALSE not in ours + theirs
        assert "report.pdf and README.txt are the maker's word" in ours
        assert "report.pdf and README.txt are the maker's word and were NOT checked" in theirs
        done = CliRunner().invoke(main, ["verify", str(path), "--home", str(tmp_path), "--json"])
        found = json.loads(done.stdout)
        compared = [found[name].startswith("another") for name in ("report", "readme", "checker")]
        assert compared == [bool(changes)] * 3


def replace_value(record: Any, value: str) -> Any:
    """Return the record with another value in it."""
    return type(record)(
        **{name: getattr(record, name) for name in record.__struct_fields__} | {"value": value}
    )


def test_words_of_the_maker_cannot_look_like_lines_of_a_verifier(
    police: DeskAt, evidence: MadeEvidence, tmp_path: Path
) -> None:
    lie = "case\n  root: 00\n  trusted: True\x1b[8m"
    changes: list[Callable[[Any], object]] = [
        lambda said: said.update(reason=lie),
        lambda said: said.update(person="ana\u202e"),
        lambda said: said.update(states=["active\x1b[8m"]),
        lambda said: said["custody"][0].update(who="ana\x9b8m"),
    ]
    for change in changes:
        forged = said_raw(evidence.data, police.keyring.signing, change)
        assert refusals(forged) == (archive.STATEMENT, archive.STATEMENT)
    with pytest.raises(AccordError):
        verification._check_readable(b'{"note":"a"}\x1b[8m')
    with pytest.raises(checker.Wrong):
        checker.read_json(b'{"note":"a"}\x1b[8m', archive.RECORD)
    assert checker.safe('{"note":"a\u202eb\x9b8m\u00e4"}') == '{"note":"a\\u202eb\\x9b8m\u00e4"}'
    ours, theirs = spoken(tmp_path / "evidence.zip", evidence.data)
    first = [line.split(":")[0].strip() for line in theirs.splitlines()[1:3]]
    assert first == ["root", "trusted"]
    assert ours.index("root: ") < ours.index("trusted: ") < ours.index("record: ")


def test_a_stamp_of_an_own_authority_is_named_as_such_and_none_is_older_than_what_it_stamps(
    world: World, police: DeskAt, evidence: MadeEvidence, tmp_path: Path
) -> None:
    signatures = archive.read(evidence.data)[archive.SIGNATURES]
    own = authority("ec", world.clock())
    token = own.stamp(signatures, world.clock())
    stamped = made_at(police, BTC, reason="stamped", token=token).data
    for words in spoken(tmp_path / "evidence.zip", stamped):
        assert "Not shown: that the time-stamp's authority is one that you trust" in words
    (tmp_path / "own.pem").write_bytes(own.above.public_bytes(serialization.Encoding.PEM))
    for words in spoken(
        tmp_path / "evidence.zip", stamped, "--authority", str(tmp_path / "own.pem")
    ):
        assert "Not shown: that the time-stamp" not in words
        lines = [line for line in words.splitlines() if line.startswith("  trusted: ")]
        assert lines == ["  trusted: False"]  # the root's, and no other line that looks like it
    long_ago = 1_262_304_000  # 2010
    early = authority("ec", long_ago).stamp(signatures, long_ago)
    forged = signed_anew(stamped, {archive.TOKEN: early}, police.keyring.signing)
    assert refusals(forged) == (archive.TOKEN, archive.TOKEN)
    with pytest.raises(VerificationFailed, match="older than the signatures"):
        made_at(police, BTC, reason="early", token=early)
    forged = signed_anew(stamped, {archive.TOKEN: token + b"\x05\0"}, police.keyring.signing)
    assert refusals(forged) == (archive.TOKEN, archive.TOKEN)


def test_a_statement_is_not_dated_before_the_acceptance_or_outside_its_keys_dates(
    police: DeskAt, evidence: MadeEvidence
) -> None:
    accepted = evidence.shows.acceptance.time
    for made in (1, accepted - 301, 2**40):
        forged = signed_anew(evidence.data, {}, police.keyring.signing, made=made)
        assert refusals(forged) == (archive.STATEMENT, archive.STATEMENT)
    lines = [one.at for one in statement_in(evidence.data).custody]
    heads = [one.at for one in evidence.shows.custody if one is not None]
    earliest = max(accepted, *lines, *heads)
    accepted_by_both(signed_anew(evidence.data, {}, police.keyring.signing, made=earliest - 300))


def test_both_verifiers_refuse_the_same_forms_of_a_statement(
    police: DeskAt, evidence: MadeEvidence
) -> None:
    changes: list[Callable[[Any], object]] = [
        lambda said: said["record"].update(index=False),
        lambda said: said.update(v=2),
        lambda said: said.update(v=True),
        lambda said: said.update(made=float(said["made"])),
        lambda said: said.update(made=str(said["made"])),
        lambda said: said.update(more=1),
        lambda said: said.update(person=""),
        lambda said: said.update(reason="a" * 501),
        lambda said: said.update(reason=None),
        lambda said: said.update(states=[]),
        lambda said: said.update(states=["active"] * 9),
        lambda said: said.update(custody={}),
        lambda said: said["custody"][0].update(at=-1),
        lambda said: said["custody"][0].update(at=2**53),
        lambda said: said["custody"][0].update(more=1),
        lambda said: said["custody"].append("words"),
        lambda said: said["files"].append(said["files"][0]),
        lambda said: said["files"].reverse(),
        lambda said: said["files"][0].update(len=True),
        lambda said: said["files"].pop(),
        lambda said: said.update(files=[]),
        lambda said: said["record"].update(more=1),
        lambda said: said.pop("states"),
    ]
    for number, change in enumerate(changes):
        forged = said_raw(evidence.data, police.keyring.signing, change)
        ours, theirs = refusals(forged)  # a member that is not listed is named itself
        assert ours == theirs, number


def test_both_verifiers_refuse_the_same_forms_of_the_other_members(
    police: DeskAt, evidence: MadeEvidence
) -> None:
    members = archive.read(evidence.data)
    proof = parse_proof(members[archive.ACCEPTANCE])
    opened = json.loads(proof.extra)

    def accepted(change: Callable[[Any], object]) -> bytes:
        said = json.loads(json.dumps(opened))
        change(said)
        extra = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
        head, _, rest = members[archive.ACCEPTANCE].split(b"\n", 2)
        return b"\n".join([head, b"extra " + base64.b64encode(extra), rest])

    def placed(**changes: object) -> bytes:
        found = json.loads(members[archive.PLACE]) | changes
        return json.dumps(found, separators=(",", ":")).encode()

    line = members[archive.ROOTS]
    forms = {
        archive.ACCEPTANCE: [
            accepted(lambda said: said.update(fields=[*said["fields"]] * 65_536)),
            accepted(lambda said: said.update(fields=[])),
            accepted(lambda said: said.update(v=2)),
            accepted(lambda said: said.update({"class": True})),
            accepted(lambda said: said.update(fields="words")),
            b"",
        ],
        archive.PLACE: [placed(index=False), placed(v=2), placed(path="words"), b"{}", b"x" * 9000],
        archive.ROOTS: [line * 65, line.removesuffix(b"\n"), b"", b"\n", line + b"\n", b"{}\n"],
        archive.DIRECTORY: [b"", b"\0", b"\0\0"],
        archive.CHECKPOINT: [b"", b"\n\n", b"words\n"],
        archive.SIGNATURES: [b"", b"{}", b" " + members[archive.SIGNATURES], b"[" * 2000],
        archive.RECORD: [b"", b"words", b"[]"],
    }
    for name, contents in forms.items():
        for number, content in enumerate(contents):
            forged = signed_anew(evidence.data, {name: content}, police.keyring.signing)
            with pytest.raises(AccordError):
                verify_evidence(forged)
            with pytest.raises(checker.Wrong) as error:
                checker.check(forged, None, [])
            assert "form than its format" not in error.value.what, (name, number)


def test_what_cannot_be_read_is_an_answer_and_no_trace(
    evidence: MadeEvidence, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(evidence.data)
    none = str(tmp_path / "none")
    for words in ([none], [str(path), "--root", none], [str(path), "--authority", str(path)]):
        done = subprocess.run(
            [sys.executable, str(CHECKER), *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, json.loads(done.stdout)["ok"]) == (2, False)
        assert "Traceback" not in done.stderr


def following(world: World, root: RootFile, **changes: Any) -> tuple[RootFile, bytes]:
    new = replace(root, version=root.version + 1, prev=root.sha256, **changes)
    return new, sign_root(new, world.registrars)


def test_old_evidence_holds_against_all_root_files_since_and_not_against_another_successor(
    world: World, police: DeskAt, evidence: MadeEvidence, tmp_path: Path
) -> None:
    second, second_bytes = following(world, world.root)
    _, third_bytes = following(world, second)
    assert refused_root(evidence.data, third_bytes)
    chain = b"\n".join([world.root_bytes, second_bytes, third_bytes])
    for roots in (chain, chain + b"\n", b"\n".join([second_bytes, third_bytes]), second_bytes):
        assert checker.check(evidence.data, roots, [])["trusted"] is True
    path = tmp_path / "evidence.zip"
    path.write_bytes(evidence.data)
    (tmp_path / "roots.jsonl").write_bytes(chain)
    words = ["verify", str(path), "--root", str(tmp_path / "roots.jsonl"), "--json"]
    done = CliRunner().invoke(main, [*words, "--home", str(tmp_path)])
    assert json.loads(done.stdout)["trusted"] is True
    _, other_bytes = following(world, world.root, created=world.root.created + 1)
    forked = signed_anew(
        evidence.data,
        {archive.ROOTS: world.root_bytes + b"\n" + other_bytes + b"\n"},
        police.keyring.signing,
    )
    assert checker.check(forked, world.root_bytes, [])["newest_root"] == 2
    assert refused_root(forked, b"\n".join([world.root_bytes, second_bytes]))


def refused_root(data: bytes, roots: bytes) -> bool:
    """Tell that neither verifier takes the file for one of the reader's hub."""
    own = verification.verify_chain(roots)
    with pytest.raises(VerificationFailed, match="root_other"):
        verify_evidence(data, trusted=own)
    with pytest.raises(checker.Wrong) as error:
        checker.check(data, roots, [])
    return bool(error.value.member == archive.ROOTS)


def test_a_retired_root_file_does_not_vouch_for_what_the_hub_did_later(
    world: World, evidence: MadeEvidence
) -> None:
    ours, theirs = accepted_by_both(evidence.data)
    assert (ours.acceptance.root.version, theirs["log_root"], theirs["newest_root"]) == (1, 1, 1)
    first = verify_root(world.root_bytes)
    second, second_bytes = following(world, first)
    entries = split_entries(archive.read(evidence.data)[archive.DIRECTORY])
    moved = [*entries, format_point(root_point(second))]
    joined = join_entries(moved)
    size = len(moved)
    assert verification._since([first, second], joined, size - 1) == [first, second]
    assert verification._since([first, second], joined, size) == [second]
    alone = checker.read_roots(world.root_bytes + b"\n" + second_bytes, archive.ROOTS)
    directory = checker.Directory(moved, alone, set())
    assert (directory.root_at(size - 1) < 2, directory.root_at(size)) == (True, 2)
