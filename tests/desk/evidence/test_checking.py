"""Two verifiers, written apart, agree on what holds; every changed byte is refused and named."""

import json
import subprocess
import sys
from pathlib import Path

import cryptography
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.forged_evidence import CHECKER, accepted_by_both, checker, refusals
from tests.support.hub_world import World

from accord.cli.main import main
from accord.desk.evidence.service import MadeEvidence
from accord.kernel.errors import AccordError
from accord.kernel.evidence import archive
from accord.kernel.evidence.verification import verify_evidence

SHARED = (
    *("record", "sender", "bundle", "index", "accepted", "log", "entry", "size", "key", "maker"),
    *("made", "person", "reason", "states", "custody", "timestamp", "root", "compromised_since"),
)


def verify(path: Path, *words: str, code: int = 0) -> dict[str, object]:
    done = CliRunner().invoke(main, ["verify", str(path), "--json", *words])
    assert done.exit_code == code, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_both_verifiers_read_the_same_from_a_file_that_holds(
    world: World, evidence: Path, made: MadeEvidence, tmp_path: Path
) -> None:
    home = ("--home", str(tmp_path))
    (tmp_path / "given.json").write_bytes(world.root_bytes)
    alone = checker.check(made.data, world.root_bytes, [])
    ours = verify(evidence, "--root", str(tmp_path / "given.json"), *home)
    assert (ours["what"], ours["trusted"], alone["trusted"]) == ("evidence", True, True)
    assert ours["checker"] == "that of this version"
    assert {name: ours[name] for name in SHARED} == {name: alone[name] for name in SHARED}
    assert verify(evidence, *home)["trusted"] is False
    spoken = CliRunner().invoke(main, ["verify", str(evidence), *home])
    assert "Not shown: that its root file is the right one" in spoken.output


def test_the_checker_stands_alone_where_only_cryptography_can_be_reached(
    evidence: Path, tmp_path: Path
) -> None:
    packages = Path(cryptography.__file__).parents[1]
    only = tmp_path / "only"
    only.mkdir()
    for path in packages.iterdir():
        if path.name.startswith(("cryptography", "cffi", "_cffi_backend", "pycparser")):
            (only / path.name).symlink_to(path)
    alone = tmp_path / "verify.py"
    alone.write_bytes(archive.read(evidence.read_bytes())[archive.VERIFIER])
    assert alone.read_bytes() == CHECKER.read_bytes()
    program = (
        "import runpy, sys\n"
        "sys.path = [one for one in sys.path if 'site-packages' not in one] + [sys.argv.pop(1)]\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    words = [sys.executable, "-I", "-S", "-c", program, str(only), str(alone), str(evidence)]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    refused = "import accord"
    reach = [*words[:4], program.replace("runpy.run_path", f"{refused};runpy.run_path")]
    blocked = subprocess.run([*reach, *words[5:]], capture_output=True, text=True, check=False)
    assert "No module named 'accord'" in blocked.stderr
    changed = bytearray(evidence.read_bytes())
    changed[changed.index(b'"confidence":80') + 14] ^= 1
    (tmp_path / "changed.zip").write_bytes(changed)
    words[-1] = str(tmp_path / "changed.zip")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "record.json" in done.stderr) == (3, True)


def starts_in(data: bytes) -> dict[str, tuple[int, int]]:
    """Return where the content of each member begins and ends."""
    found, at = {}, 0
    for name, content in archive.read(data).items():
        at += 30 + len(name)
        found[name] = (at, at + len(content))
        at += len(content)
    return found


@pytest.mark.parametrize("name", archive.NAMES[:-1])
def test_a_changed_byte_in_a_member_is_named_by_both(
    made: MadeEvidence, name: str, tmp_path: Path
) -> None:
    start, end = starts_in(made.data)[name]
    head = start - 30 - len(name)
    for place in (start, (start + end) // 2, end - 1, head, head + 14, head + 18, head + 31):
        changed = bytearray(made.data)
        changed[place] ^= 1
        assert refusals(bytes(changed)) == (name, name), place
    path = tmp_path / "changed.zip"
    path.write_bytes(changed)
    found = verify(path, "--home", str(tmp_path), code=3)["error"]
    assert isinstance(found, dict)
    assert (found["code"], found["observed"]) == ("evidence_changed", name)


@pytest.mark.parametrize("name", archive.NAMES[:-1])
def test_a_changed_byte_is_named_also_where_the_container_was_made_right(
    made: MadeEvidence, name: str
) -> None:
    members = archive.read(made.data)
    content = bytearray(members[name])
    content[len(content) // 3] ^= 1
    changed = archive.build(members | {name: bytes(content)})
    assert refusals(changed) == (name, name)


def test_no_byte_of_the_container_can_be_changed(made: MadeEvidence) -> None:
    end = starts_in(made.data)[archive.STATEMENT][1]
    for place in [*range(end, len(made.data), 61), len(made.data) - 1]:
        changed = bytearray(made.data)
        changed[place] ^= 0x40
        ours, theirs = refusals(bytes(changed))
        assert "end of the file" in ours
        assert "end of the file" in theirs
    for other in (made.data + b"\0", made.data[:-1], b"\0" + made.data, made.data[: end // 2], b""):
        refusals(other)


@given(st.binary(max_size=200), st.integers(0, 190_000))
@settings(max_examples=40, deadline=None)
def test_whatever_stands_in_a_file_is_refused_in_order(
    made: MadeEvidence, noise: bytes, place: int
) -> None:
    data = made.data[:place] + noise + made.data[place + len(noise) :]
    if data == made.data:
        accepted_by_both(data)
        return
    with pytest.raises(AccordError):
        verify_evidence(data)
    with pytest.raises(checker.Wrong):
        checker.check(data, None, [])


def test_members_that_do_not_belong_or_lack_are_refused(made: MadeEvidence) -> None:
    members = archive.read(made.data)
    with pytest.raises(AccordError, match="evidence_members"):
        archive.build(members | {"more.txt": b""})
    less = [(name.encode(), one) for name, one in members.items() if name != archive.PLACE]
    assert refusals(archive._build(less)) == (archive.PLACE, archive.PLACE)
    more = [*((name.encode(), one) for name, one in members.items()), (b"x", b"")]
    assert refusals(archive._build(more)) == (archive.TOKEN, archive.TOKEN)
