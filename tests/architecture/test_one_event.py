"""Every verb of the hub that writes records an event in the transaction of its act (rule 12).

Found from the source: a function that hands an act to the writer must reach ``record`` through what
it calls in its own module. ``QUIET`` names the writes that are no act on anything, with the reason.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HUB = Path(__file__).resolve().parents[2] / "platform" / "accord" / "hub"
QUIET = {
    "bundles/sweep.py": "a file without a row was erased with its bundle, or never accepted",
    "feed/service.py": "a pruned item told of an act whose own event stays",
    "jobs/leases.py": "whose turn it is; what a job does is recorded by the verb that it calls",
    "people/attempts.py": "a counted attempt; its outcome is recorded with the sign-in",
    "people/notices.py": "a notice was read; what it tells of was recorded when it happened",
    "people/sessions.py": "a session is in use; its beginning and end are recorded",
    "transparency/witnesses.py": "a cosignature is the log's own proof, kept beside it",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}
    for node in ast.walk(tree):
        if isinstance(node, Function):
            found.setdefault(node.name, []).append(node)
    return found


def called(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            name = inner.func
            if isinstance(name, ast.Attribute):
                yield name.attr
            elif isinstance(name, ast.Name):
                yield name.id


def hands_to_writer(node: ast.AST) -> bool:
    return any(
        isinstance(inner, ast.Call)
        and isinstance(inner.func, ast.Attribute)
        and inner.func.attr == "run"
        and ast.unparse(inner.func.value).rsplit(".", 1)[-1] in {"writer", "_writer"}
        for inner in ast.walk(node)
    )


def reaches_record(start: Function, known: dict[str, list[Function]]) -> bool:
    seen: set[str] = set()
    waiting: list[Function] = [start]
    while waiting:
        for name in called(waiting.pop()):
            if name == "record":
                return True
            if name in known and name not in seen:
                seen.add(name)
                waiting += known[name]
    return False


def silent_verbs(text: str) -> list[str]:
    tree = ast.parse(text)
    known = functions(tree)
    return sorted(
        name
        for name, nodes in known.items()
        for node in nodes
        if hands_to_writer(node) and not reaches_record(node, known)
    )


WRITING = sorted(
    path
    for path in HUB.rglob("*.py")
    if "migrations" not in path.parts and "writer.run(" in path.read_text(encoding="utf-8")
)


def named(path: Path) -> str:
    return str(path.relative_to(HUB))


@pytest.mark.parametrize("path", WRITING, ids=named)
def test_every_verb_that_writes_records_an_event(path: Path) -> None:
    found = silent_verbs(path.read_text(encoding="utf-8"))
    assert bool(found) == (named(path) in QUIET), found


def test_rooms_that_write_are_found() -> None:
    assert {"bundles/service.py", "people/sign_in.py"} <= {named(path) for path in WRITING}


def test_a_verb_that_forgets_its_event_is_found() -> None:
    text = """
class Room:
    def loud(self):
        self._writer.run(lambda c: self._note(c))
    def _note(self, c):
        self._recorder.record(c)
    def quiet(self):
        def act(c):
            return c
        return self._writer.run(act)
"""
    assert silent_verbs(text) == ["quiet"]
