"""``accord export``: take records out for other tools, with a marking, a purpose and a reason."""

from pathlib import Path

import click
import msgspec

from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.export import Audience, Selection
from accord.desk.export.list import DELTA, FULL, LIST, read_summary
from accord.desk.export.registry import FORMATS
from accord.desk.export.rules import WITHHELD
from accord.desk.export.service import Exported
from accord.desk.export.service import export as make_export
from accord.kernel.indicators import Kind, Network
from accord.kernel.markings import Purpose, Tlp
from accord.terminal import Terminal, common_options


def _choice(
    words: type[Audience] | type[Kind] | type[Network] | type[Tlp] | type[Purpose],
) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


@click.command(
    epilog="Formats: " + "; ".join(f"{one.name}: {one.words}" for one in FORMATS.values())
)
@click.argument("form", type=click.Choice(list(FORMATS)), metavar="{csv,xlsx,stix,misp,list}")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="File or folder to make."
)
@click.option("--purpose", required=True, type=_choice(Purpose), help="What it will be used for.")
@click.option("--reason", required=True, help="Why, for example a case number.")
@click.option(
    "--audience", default="own", show_default=True, type=_choice(Audience), help="For whom."
)
@click.option(
    "--kind", "kinds", multiple=True, type=_choice(Kind), help="Only this kind; may be repeated."
)
@click.option(
    "--network", "networks", multiple=True, type=_choice(Network), help="Only this network."
)
@click.option(
    "--tlp",
    "tlps",
    multiple=True,
    type=_choice(Tlp),
    help="Only this marking. TLP:RED goes only when named.",
)
@click.option(
    "--ended", is_flag=True, help="Also what was retracted, replaced, disputed or has expired."
)
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    help="With list: the folder of the list before; what changed since goes into delta.csv.",
)
@common_options
def export(  # noqa: PLR0913 - one parameter for each option
    terminal: Terminal,
    *,
    form: str,
    output: Path,
    purpose: str,
    reason: str,
    audience: str,
    kinds: tuple[str, ...],
    networks: tuple[str, ...],
    tlps: tuple[str, ...],
    ended: bool,
    previous: Path | None,
) -> None:
    """Write what others sent to a file for another tool. It is plaintext: yours to guard."""
    wanted = Selection(
        audience=Audience(audience),
        kinds=frozenset(map(Kind, kinds)),
        networks=frozenset(map(Network, networks)),
        tlps=frozenset(map(Tlp, tlps)),
        red=Tlp.RED.value in tlps,
        ended=ended,
    )
    with opened_desk(terminal) as desk:
        made = make_export(
            desk.vault,
            FORMATS[form],
            output,
            wanted,
            org=desk.org,
            person=person_here(),
            purpose=purpose,
            reason=reason,
            now=desk.clock(),
            previous=previous,
        )
    terminal.result(_data(made, form), _text(made, form))


def _data(made: Exported, form: str) -> dict[str, object]:
    return {
        "no": made.no,
        "format": form,
        "file": str(made.path),
        "records": made.records,
        "bundles": made.bundles,
        "sha256": made.sha256.hex(),
        "withheld": dict(made.withheld),
        "list": _list_of(made, form),
    }


def _list_of(made: Exported, form: str) -> dict[str, object] | None:
    """Return rows and SHA-256 of a list's two files."""
    if form != LIST.name:
        return None
    said: dict[str, object] = msgspec.to_builtins(read_summary(made.path))
    return said


def _text(made: Exported, form: str) -> str:
    lines = [
        f"{made.records} records of {made.bundles} bundles written to {made.path}",
        f"SHA-256 {made.sha256.hex()}; export {made.no} of the journal",
    ]
    if form == LIST.name:
        said = read_summary(made.path)
        lines += [
            f"{FULL}   {said.full.rows} rows, SHA-256 {said.full.sha256}",
            f"{DELTA}  {said.added} added, {said.removed} removed, SHA-256 {said.delta.sha256}",
        ]
    lines += [f"kept back: {count}. {WITHHELD[code]}" for code, count in made.withheld.items()]
    return "\n".join(lines)
