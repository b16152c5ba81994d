"""Links of every page resolve, the commands that pages name exist, the README's transcript is true."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from tests.docs.pages import PAGES, ROOT, accord_commands, anchors, blocks, links, named

from accord.cli.main import main


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_of_the_page_resolve(page: Path) -> None:
    missing = []
    for target in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        inside = file.is_relative_to(ROOT) and file.exists()
        if not inside or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            missing.append(target)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_of_the_page_exist_with_their_options(page: Path) -> None:
    for words in accord_commands(page.read_text(encoding="utf-8")):
        assert _complaint(words) is None, f"accord {' '.join(words)}"


def _complaint(words: list[str]) -> str | None:
    """Return what is wrong with a command as a page writes it; values are not looked at."""
    command: click.Command = main
    context = click.Context(main)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(context, name)
        if found is None:
            return f"no command {name}"
        command = found
    known = {"--help", "-h", "--version"} | {
        option for parameter in command.params for option in parameter.opts
    }
    used = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    return f"no option {sorted(used - known)}" if used - known else None


def test_the_checker_of_commands_finds_what_is_wrong() -> None:
    assert _complaint(["hub", "fly"]) == "no command fly"
    assert _complaint(["pull", "--sideways"]) == "no option ['--sideways']"
    assert _complaint(["submit", "FILE", "--dry-run"]) is None


def test_the_readme_transcript_is_true(tmp_path: Path) -> None:
    (transcript,) = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "console")
    assert len(transcript.splitlines()) == 6
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        program, *words = shlex.split(command)
        assert program == "accord"
        done = subprocess.run(
            [sys.executable, "-m", "accord", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.stdout == expected


def test_the_readme_shows_what_a_newcomer_needs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for word in ("sh deploy/demo/run.sh", "sh tests/run.sh", "## Who sees what", "## Status"):
        assert word in text
    assert all((ROOT / name).is_file() for name in ("deploy/demo/run.sh", "tests/run.sh"))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_page_names_no_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"/(?:root|home|Users|work|opt|tmp)/\w+", text) == []


@pytest.mark.parametrize("room", ["formats", "adr"])
def test_the_index_names_every_page_of_its_room(room: str) -> None:
    folder = ROOT / "docs" / room
    listed = set(links((folder / "README.md").read_text(encoding="utf-8")))
    here = {page.name for page in folder.glob("*.md")} - {"README.md"}
    assert sorted(here - listed) == []


def test_the_architecture_page_shows_the_layers_of_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layered = [
        (one["containers"][0].removeprefix("accord.").replace("accord", "all"), one["layers"])
        for one in contracts["tool"]["importlinter"]["contracts"]
        if one["type"] == "layers"
    ]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = {" ".join(line.split()) for line in "".join(blocks(page, "")).splitlines()}
    missing = [
        f"{room}: {' > '.join(layers)}"
        for room, layers in layered
        if f"{room}: {' > '.join(layers)}" not in shown
    ]
    assert missing == []


def test_the_glossary_says_each_word_once_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [line.split("|")[1].strip().lower() for line in text.splitlines() if line[:2] == "| "]
    assert words[2:] == sorted(set(words[2:]))
