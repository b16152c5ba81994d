"""Rules of the house that a machine can check: rooms, imports, docstrings, words that may not ship."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "platform" / "accord"
MODULES = sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_platform_holds_no_module_that_would_hide_pythons_own() -> None:
    assert [path.name for path in (ROOT / "platform").glob("*.py")] == []
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    if not lint.exists():
        pytest.skip("import-linter is not installed here; the CI gate runs it")
    done = subprocess.run(
        [str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_module_says_its_job_and_imports_absolutely_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "no module docstring"
    top_level = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            inside_if = any(
                isinstance(parent, ast.If | ast.Try) and node in ast.walk(parent)
                for parent in tree.body
            )
            assert id(node) in top_level or inside_if, f"import inside a function: {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_module_leaves_no_stub_behind(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("TODO", "FIXME", "XXX", "NotImplementedError"):
        assert re.search(rf"\b{word}\b", text) is None, word


def test_no_room_is_named_for_nothing() -> None:
    vague = {"utils", "util", "common", "helpers", "misc", "manager"}
    assert [named(path) for path in MODULES if path.stem in vague] == []


def test_tracked_files_name_no_machine_path() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    foreign = re.compile(rb"/root/|/work/(?:main|shared|\.library)|\.r-seed-|/opt/pypi")
    found = []
    for raw in filter(None, listed.stdout.split(b"\0")):
        path = ROOT / raw.decode()
        if path.is_file() and path != Path(__file__) and foreign.search(path.read_bytes()):
            found.append(raw.decode())
    assert found == []
