"""How every command talks: data on stdout, words on stderr, one exit code for each outcome.

A command declares ``@common_options`` and gets a ``Terminal``. With ``--json`` stdout carries data
only; without it a short text for people. The exit code never depends on ``--json``. This module
decides nothing and reads no files but the default home's place.
"""

import functools
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from accord.config import default_home, read_passphrase
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.logs import log_to_stderr

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_VERIFICATION = 3
EXIT_SIGN_IN = 4
EXIT_PARTLY = 5
EXIT_UNAVAILABLE = 6

Data = Mapping[str, Any] | Sequence[Any]


class Partly(Exception):
    """The command did part of its work; its report has been printed. Exit code 5."""


class Failed(Exception):
    """The report has been printed and says that something failed. Carries the exit code.

    With an error the words on stderr are its own; the report has its code.
    """

    def __init__(self, exit_code: int = EXIT_ERROR, *, error: AccordError | None = None) -> None:
        """Keep the exit code, or the error that has one."""
        self.exit_code = exit_code if error is None else exit_code_of(error)
        self.error = error
        super().__init__(f"exit {self.exit_code}")


def exit_code_of(error: AccordError) -> int:
    """Return the exit code of an error (product, command line)."""
    if isinstance(error, VerificationFailed):
        return EXIT_VERIFICATION
    if isinstance(error, AuthenticationNeeded):
        return EXIT_SIGN_IN
    if isinstance(error, Unavailable):
        return EXIT_UNAVAILABLE
    return EXIT_ERROR


def error_body(error: AccordError) -> dict[str, str]:
    """Return the machine form of an error: code, message, and observed and next_step if known."""
    body = {"code": error.code, "message": error.message}
    if error.observed is not None:
        body["observed"] = error.observed
    if error.next_step is not None:
        body["next_step"] = error.next_step
    return body


def visible(value: object) -> str:
    """Return the text of ``value`` with what a terminal would obey, or not show, written out."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in str(value)
    )


class Counter:
    """A progress line: count, rate and time left on a terminal; silent elsewhere."""

    def __init__(self, console: Console, label: str, total: int | None, *, shown: bool) -> None:
        """Prepare the line; it appears on entry."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.speed:,.0f}/s" if total else ""),
            TimeRemainingColumn(),
            console=console,
            disable=not shown,
            transient=True,
        )
        self._task = self._progress.add_task(label, total=total)

    def __enter__(self) -> Self:
        """Show the line."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the line away."""
        self._progress.stop()

    def advance(self, count: int = 1) -> None:
        """Count ``count`` more done."""
        self._progress.update(self._task, advance=count)


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """What a command was asked for and how it answers.

    Attributes:
        json: stdout carries data only.
        quiet: no words at all on stderr but errors.
        home: the program's directory (``--home``, else ``$ACCORD_HOME``, else the platform's).
        yes: answer questions with yes.
        dry_run: change and send nothing.
        from_keyring: the passphrase is in the operating system's keyring.
    """

    json: bool
    quiet: bool
    home: Path
    yes: bool
    dry_run: bool
    from_keyring: bool = False

    @property
    def console(self) -> Console:
        """A console on stderr; honours NO_COLOR."""
        return Console(stderr=True, quiet=self.quiet, highlight=False)

    def result(self, data: Data, human: str) -> None:
        """Print the outcome: ``data`` as one JSON document, or ``human``."""
        click.echo(json.dumps(data, ensure_ascii=False) if self.json else human)

    def line(self, data: Data, human: str) -> None:
        """Print one item of a stream: one JSON line, or one line of text. Flushes."""
        self.result(data, human)
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell a person something on stderr (not with ``--quiet``)."""
        if not self.quiet:
            click.echo(text, err=True)

    def progress(self, label: str, total: int | None = None) -> Counter:
        """Return a progress line, shown only when stderr is a terminal and not ``--quiet``."""
        shown = sys.stderr.isatty() and not self.quiet
        return Counter(self.console, label, total, shown=shown)

    def confirm(self, question: str) -> bool:
        """Ask a yes/no question; ``--yes`` answers yes, no terminal answers no."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            return False
        return click.confirm(question, err=True)

    def passphrase(self, prompt: str, *, twice: bool = False, own: bool = True) -> bytes:
        """Return the passphrase from keyring, ``ACCORD_PASSPHRASE_FILE`` or keyboard.

        Args:
            prompt: what is asked at the keyboard.
            twice: it is a new one, and never comes from the keyring.
            own: it is that of this home's keys, which alone can be in the keyring.

        Raises:
            AuthenticationNeeded: ``passphrase_missing`` when nothing has it; ``keyring_empty``.
            Unavailable: ``keyring_missing``; ``keyring_locked``.
        """
        if self.from_keyring and own and not twice:
            # Loaded only when it is asked for: the library takes a tenth of a second.
            room = importlib.import_module("accord.oskeyring")
            kept: bytes = room.recall(self.home, room.real_keyring())
            return kept
        from_file = read_passphrase()
        if from_file is not None:
            return from_file
        if not sys.stdin.isatty():
            raise AuthenticationNeeded(
                "passphrase_missing",
                "A passphrase is needed and there is no keyboard.",
                next_step="Set ACCORD_PASSPHRASE_FILE to a file that only you can read.",
            )
        text: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
        return text.encode("utf-8")


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the global options; it is called with ``terminal`` first.

    Errors of the tree become a message on stderr (and ``{"error": …}`` on stdout with ``--json``)
    and the exit code of product.md.
    """

    @click.option("--json", "as_json", is_flag=True, help="Data on stdout as JSON.")
    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="This program's directory. Default: $ACCORD_HOME, else the platform's own.",
    )
    @click.option("--yes", is_flag=True, help="Answer every question with yes.")
    @click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
    @click.option("--quiet", is_flag=True, help="Only errors on stderr.")
    @click.option(
        "--passphrase-from",
        type=click.Choice(["keyring"]),
        help="Take the passphrase from the operating system's keyring.",
    )
    @functools.wraps(command)
    def wrapper(
        *args: Any,  # noqa: ANN401 - passes through what the command declares
        as_json: bool,
        home: Path | None,
        yes: bool,
        dry_run: bool,
        quiet: bool,
        passphrase_from: str | None,
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> None:
        terminal = Terminal(
            json=as_json,
            quiet=quiet,
            home=home or default_home(),
            yes=yes,
            dry_run=dry_run,
            from_keyring=passphrase_from is not None,
        )
        log_to_stderr()
        try:
            command(terminal, *args, **kwargs)
        except AccordError as error:
            _fail(terminal, error)
        except Partly:
            sys.exit(EXIT_PARTLY)
        except Failed as failed:
            if failed.error is not None:
                _tell(failed.error)
            sys.exit(failed.exit_code)
        except BrokenPipeError:
            # The reader of our output went away; the rest has no one to read it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_ERROR)
        except OSError as error:
            _fail(terminal, _system_refusal(error))

    return wrapper


def _system_refusal(error: OSError) -> Refused:
    what = error.filename if isinstance(error.filename, str) else type(error).__name__
    return Refused(
        "system_refused",
        "The system refuses a file or an address that this command needs.",
        observed=f"{what}: {error.strerror or 'no reason given'}",
        next_step="Check that it is there, that you may use it, and that there is room.",
    )


def _fail(terminal: Terminal, error: AccordError) -> NoReturn:
    if terminal.json:
        click.echo(json.dumps({"error": error_body(error)}))
    _tell(error)
    sys.exit(exit_code_of(error))


def _tell(error: AccordError) -> None:
    # What was observed comes from files and servers of others; the lines are ours.
    told = "\n".join(map(visible, str(error).split("\n")))
    click.echo(f"Error: {told}", err=True)
