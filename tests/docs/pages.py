"""The project's pages as tests read them: files, links, headings, commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def named(path: Path) -> str:
    """Return a page's name for a test id."""
    return str(path.relative_to(ROOT))


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [body for found, body in _FENCE.findall(text) if found == language]


def links(text: str) -> list[str]:
    """Return the targets of the links outside fenced blocks."""
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings get."""
    plain = (re.sub(r"[`*]", "", title).strip().lower() for title in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}


def accord_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each ``accord …`` in a page, without the word ``accord`` itself."""
    for _language, body in _FENCE.findall(text):
        for line in body.replace("\\\n", " ").splitlines():
            bare = line.strip().removeprefix("$ ")
            if bare.startswith("accord "):
                yield words_of(bare)
    for inline in _INLINE.findall(_FENCE.sub("", text)):
        if inline.startswith("accord ") and not inline.startswith("accord -"):
            yield words_of(inline)


def words_of(line: str) -> list[str]:
    """Return the words of one command, up to a comment, pipe or redirection."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="<>|;")
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("<>|;"):
            break
        found.append(word)
    return found[1:]
