"""``accord submit``: check an export, show what would go, seal and send it.

``--dry-run`` needs no desk, no enrolment and no recipients. Exit codes: 0 when all rows but
duplicates and blanks can go, 5 when some are refused or held, 1 when nothing can be used: then the
report has the code.
"""

import dataclasses
from pathlib import Path

import click

from accord.clock import system_clock
from accord.desk.cli.addressing import TO_HELP
from accord.desk.cli.signed_in import AS_HELP, PASSWORD_FILE, PASSWORD_HELP
from accord.desk.cli.submit_report import DryRun, error_data, nothing_left, outcome_of
from accord.desk.cli.submit_send import Outputs, Wishes, send_export
from accord.desk.intake.guard_register import copied_lists
from accord.desk.intake.lines import Defaults
from accord.desk.intake.service import IntakeOptions, read_export
from accord.desk.storage.journal import says_why
from accord.kernel.errors import Malformed, Refused
from accord.kernel.indicators import Network, network_of_label
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp
from accord.terminal import Terminal, common_options

_FILE = click.Path(path_type=Path, dir_okay=False)


def _choices(*values: str) -> click.Choice[str]:
    """Offer the codes as they are written in a header, never the names of our enumerations."""
    return click.Choice([str(value) for value in values], case_sensitive=False)


@click.command(
    epilog="\b\nExamples:\n  accord submit october.csv --dry-run\n"
    "  accord submit october.xlsx --to police --tlp amber --purpose investigation"
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", "recipients", multiple=True, help=TO_HELP)
@click.option("--tlp", type=_choices(*Tlp), help="Traffic light of the whole bundle.")
@click.option("--purpose", type=_choices(*Purpose), help="Why it is shared.")
@click.option("--legal-basis", type=_choices(*LegalBasis), help="On what basis it is shared.")
@click.option("--onward", type=_choices(*Onward), help="Whom they may tell; nobody by itself.")
@click.option("--preset", help="Recipients, marking and purpose kept under this name.")
@click.option("--as", "login", help=AS_HELP)
@click.option("--password-file", type=PASSWORD_FILE, help=PASSWORD_HELP)
@click.option("--list", "as_list", is_flag=True, help="Send it as a list to screen against.")
@click.option("--title", help="A line that only the recipients can read.")
@click.option("--expires", type=click.IntRange(1, 3650), metavar="DAYS", help="Days it is valid.")
@click.option(
    "--guards",
    multiple=True,
    type=click.Path(path_type=Path),
    help="MISP warninglists and *guard*.csv (a directory, or one), beside the desk's. Repeatable.",
)
@click.option(
    "--release",
    "released",
    multiple=True,
    type=click.IntRange(1),
    metavar="ROW",
    help="Let this row go although a guard list holds it; needs --reason. Repeatable.",
)
@click.option("--reason", help="Why held rows are let go; kept in the journal.")
@click.option(
    "--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="What a column means."
)
@click.option("--network", help="Network of rows that name none, for example btc.")
@click.option("--keep-url", is_flag=True, help="Send links as links, not as their sites.")
@click.option("--encoding", help="Encoding of a text file, when the guess is wrong.")
@click.option("--delimiter", help="Delimiter of a text file, when the guess is wrong.")
@click.option("--sheet", help="Sheet of a spreadsheet; the first that holds anything otherwise.")
@click.option("--records", type=_FILE, help="Write every row's result there, one JSON line each.")
@click.option("--refused", type=_FILE, help="Write refused rows there, with the reason, to mend.")
@common_options
def submit(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    file: Path,
    recipients: tuple[str, ...],
    tlp: str | None,
    purpose: str | None,
    legal_basis: str | None,
    onward: str | None,
    preset: str | None,
    login: str | None,
    password_file: Path | None,
    as_list: bool,
    title: str | None,
    expires: int | None,
    guards: tuple[Path, ...],
    released: tuple[int, ...],
    reason: str | None,
    mapping: tuple[str, ...],
    network: str | None,
    keep_url: bool,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    records: Path | None,
    refused: Path | None,
) -> None:
    """Check FILE (CSV, TSV, XLSX, XLS), seal it for the recipients and send it."""
    _refuse_same_file(file, records, refused)
    _check_release(released, reason)
    options = IntakeOptions(
        mapping=_parse_mapping(mapping),
        guards=guards,
        keep_url=keep_url,
        encoding=encoding,
        delimiter="\t" if delimiter in {"\\t", "tab"} else delimiter,
        sheet=sheet,
        defaults=Defaults(network=_parse_network(network)),
        home=terminal.home,
        released=frozenset(released),
        now=system_clock(),
        apart=True,
    )
    if not terminal.dry_run:
        if not (preset or (recipients and tlp and purpose)):
            raise click.UsageError(  # noqa: TRY003 - click's own form
                "To send, say --to, --tlp and --purpose, or --preset; or use --dry-run."
            )
        wishes = Wishes(
            to=recipients,
            tlp=Tlp(tlp) if tlp else None,
            purpose=Purpose(purpose) if purpose else None,
            legal_basis=LegalBasis(legal_basis) if legal_basis else None,
            onward=Onward(onward) if onward else None,
            preset=preset,
            login=login,
            password_file=password_file,
            kind=BundleKind.LIST if as_list else BundleKind.INDICATORS,
            release_reason=reason,
            title=title,
            expires_days=expires,
        )
        send_export(
            terminal, file, options, wishes, outputs=Outputs(records=records, refused=refused)
        )
        return
    pinned = copied_lists(terminal.home)
    intake = read_export(file, dataclasses.replace(options, pinned=pinned))
    report = DryRun(intake, file.name)
    with terminal.progress("rows") as counter:
        report.run(counter.advance, records=records, refused=refused)
    nothing = nothing_left(intake.totals)
    terminal.result(report.data() | error_data(nothing), report.human())
    if report.records_left_out and terminal.json:
        terminal.say("The rows are not listed above 10,000; add --records FILE for all of them.")
    outcome_of(intake.totals, nothing)


def _check_release(released: tuple[int, ...], reason: str | None) -> None:
    """Rows that a guard holds go with a stated reason only."""
    said = (reason or "").strip()
    if released and not says_why(said):
        raise Malformed(
            "reason_missing",
            "Held rows are let go with a stated reason, in one line.",
            next_step="Give --reason: why does this value name no one but a suspect?",
        )


def _parse_mapping(items: tuple[str, ...]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for item in items:
        column, sign, field = item.rpartition("=")
        if not sign or not column.strip() or not field.strip():
            raise click.BadParameter(f"{item[:80]!r} is not COLUMN=FIELD", param_hint="--map")  # noqa: TRY003 - click's own form
        mapping[column.strip()] = field.strip()
    return mapping


def _parse_network(text: str | None) -> Network | None:
    if text is None:
        return None
    found = network_of_label(text)
    if found is None:
        raise Malformed(
            "network_unknown",
            "This network is not known.",
            observed=text[:20],
            next_step=f"Use one of {', '.join(Network)}.",
        )
    return found


def _refuse_same_file(file: Path, *outputs: Path | None) -> None:
    """Never write over the export that is being read, nor two outputs into one."""
    named = [output.resolve() for output in outputs if output is not None]
    same = any(path.exists() and file.exists() and path.samefile(file) for path in named)
    if same or file.resolve() in named or len(set(named)) != len(named):
        raise Refused(
            "output_taken",
            "An output would overwrite the export, or another output.",
            observed=file.name,
            next_step="Give each its own file name.",
        )
