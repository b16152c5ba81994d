"""Every stable error code of the source, read from the source: class, words, next step.

Used by ``tests/docs/test_errors.py`` and by ``tests/support/make_errors_page.py``.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "platform" / "accord"

CLASSES = (
    "Malformed",
    "AuthenticationNeeded",
    "Refused",
    "NotFound",
    "Conflict",
    "VerificationFailed",
    "Unavailable",
)
ROW = "Row"
"""Not an error but the reason of a row of an export, which stands in the same field."""

NO_ERRORS = frozenset({"allowed", "granted", "not_yours", "replaced", ""})
"""Values of a ``code`` that say yes, or never leave their room."""

TABLES: Mapping[str, str] = {
    "CONDITIONS": "Refused",
    "_STATUS_CODES": "Malformed",
    "STATUS_OF_CODE": "",
    "_WORDS": ROW,
    "_BUILT_IN_WORDS": ROW,
}
"""Tables of codes, by name, and the class of what they hold."""


_KIND_OF_CALL = {
    "AccordError": "VerificationFailed",
    "Decision": "Refused",
    "Hit": ROW,
    "__init__": "Conflict",
    "_no": "Refused",
    "_plain": ROW,
}
"""What a call makes whose own name does not say it."""


@dataclass(slots=True)
class Code:
    """What the source says of one code."""

    name: str
    classes: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)


def error_codes(source: Path = SOURCE) -> dict[str, Code]:
    """Return every code under ``source``, by name."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in source.rglob("*.py")}
    takers = dict(_takers(trees.values()))
    found: dict[str, Code] = {}
    for path, tree in sorted(trees.items()):
        place = path.relative_to(source).as_posix()
        constants = dict(_constants(tree))
        for name, kind, message, step in _uses(tree, constants, takers):
            if name in NO_ERRORS:
                continue
            code = found.setdefault(name, Code(name))
            code.places.add(place)
            code.classes.update({kind} if kind else ())
            code.messages += [message] if message else []
            code.next_steps += [step] if step else []
    return found


def _takers(trees: object) -> Iterator[tuple[str, int]]:
    """Yield the functions with a parameter ``code``, with its place among the positional ones."""
    for tree in trees:  # type: ignore[attr-defined]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name not in {
                "__init__",
                "_usable_invite",
            }:
                names = [one.arg for one in node.args.args if one.arg not in {"self", "cls"}]
                keywords = [one.arg for one in node.args.kwonlyargs]
                if "code" in names:
                    yield node.name, names.index("code")
                elif "code" in keywords:
                    yield node.name, -1


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value)
            if text is not None:
                yield node.targets[0].id, text


def _uses(
    tree: ast.Module, constants: Mapping[str, str], takers: Mapping[str, int]
) -> Iterator[tuple[str, str, str | None, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, constants, takers)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _table(node)
        elif isinstance(node, ast.FunctionDef):
            yield from _defaults(node)


def _call(
    node: ast.Call, constants: Mapping[str, str], takers: Mapping[str, int]
) -> Iterator[tuple[str, str, str | None, str | None]]:
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    words = {one.arg: one.value for one in node.keywords if one.arg}
    told = words.get("next_step")
    step = constants.get(told.id) if isinstance(told, ast.Name) else _text(told)
    if name in {*CLASSES, "AccordError", "__init__"} and node.args:
        message = _text(node.args[1]) if len(node.args) > 1 else None
        for code in _codes(node.args[0], constants):
            if name == "__init__" and "_" not in code:
                continue
            yield code, _KIND_OF_CALL.get(name, name), message, step
        return
    given = words.get("code")
    if given is None and takers.get(name, -1) >= 0 and len(node.args) > takers[name]:
        given = node.args[takers[name]]
    if given is None:
        return
    kind = _KIND_OF_CALL.get(name, "Malformed")
    message = next((t for t in map(_text, node.args) if t and " " in t), None)
    for code in _codes(given, constants):
        yield code, kind, message, step


def _codes(node: ast.expr, constants: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    elif isinstance(node, ast.IfExp):
        yield from _codes(node.body, constants)
        yield from _codes(node.orelse, constants)
    elif isinstance(node, ast.BoolOp):
        for inner in node.values:
            yield from _codes(inner, constants)


def _table(
    node: ast.Assign | ast.AnnAssign,
) -> Iterator[tuple[str, str, str | None, str | None]]:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    name = target.id if isinstance(target, ast.Name) else ""
    if name == "code" and node.value is not None:
        for code in _codes(node.value, {}):
            yield code, ROW, None, None
    if name == "INTERNAL_CODE":
        yield str(_text(node.value)), "", None, None
    if name not in TABLES:
        return
    kind = TABLES[name]
    if isinstance(node.value, ast.Dict):
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            code, text = (_text(value), None) if name == "_STATUS_CODES" else (_text(key), value)
            if code is not None and (name != "_WORDS" or code.islower()):
                yield code, kind, _text(text), None
    elif isinstance(node.value, ast.Tuple):
        for row in node.value.elts:
            if isinstance(row, ast.Tuple):
                yield str(_text(row.elts[0])), kind, _text(row.elts[1]), None


def _defaults(node: ast.FunctionDef) -> Iterator[tuple[str, str, str | None, str | None]]:
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    for argument, default in pairs:
        text = _text(default)
        if argument.arg == "code" and text:
            yield text, "Malformed", None, None


def _text(node: ast.expr | None) -> str | None:
    """Return a literal text; what is filled in later is written as ``…``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
        return "".join(str(part) for part in parts)
    return None
