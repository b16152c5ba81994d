"""``accord desk preset``: recipients, marking and purpose under one name, for ``accord submit``."""

import re
from typing import Any

import click

from accord.desk.app import Desk
from accord.desk.cli.addressing import TO_HELP
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.storage.drafts import presets, put_preset, remove_preset
from accord.desk.storage.journal import Act, record_act_in
from accord.kernel.encoding import dump_object, parse_object
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.markings import LegalBasis, Onward, Purpose, Tlp
from accord.terminal import Terminal, common_options

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]")
_MAX = 64 * 1024


@click.group()
def preset() -> None:
    """Keep recipients, marking and purpose under a name."""


@preset.command()
@click.argument("name")
@click.option("--to", "recipients", multiple=True, required=True, help=TO_HELP)
@click.option("--tlp", type=click.Choice([one.value for one in Tlp]), required=True)
@click.option("--purpose", type=click.Choice([one.value for one in Purpose]), required=True)
@click.option("--legal-basis", type=click.Choice([one.value for one in LegalBasis]))
@click.option("--onward", type=click.Choice([one.value for one in Onward]), default="none")
@common_options
def add(
    terminal: Terminal,
    *,
    name: str,
    recipients: tuple[str, ...],
    tlp: str,
    purpose: str,
    legal_basis: str | None,
    onward: str,
) -> None:
    """Keep a preset under NAME, in place of an older one. The charter is asked when it is used."""
    if _NAME.fullmatch(name) is None:
        raise Malformed(
            "preset_name",
            "A preset's name has 2 to 40 lower-case letters, digits and hyphens.",
            observed=name[:60],
        )
    wishes: dict[str, Any] = {"to": list(recipients), "tlp": tlp, "purpose": purpose}
    wishes |= {"legal_basis": legal_basis} if legal_basis else {}
    wishes["onward"] = onward
    with opened_desk(terminal) as desk:
        _change(desk, name, dump_object(wishes))
    terminal.result({"name": name} | wishes, f"Kept. Use it: accord submit FILE --preset {name}")


@preset.command(name="list")
@common_options
def list_presets(terminal: Terminal) -> None:
    """Show the presets."""
    with opened_desk(terminal) as desk:
        found = [{"name": name} | read_preset(desk, name) for name in presets(desk.vault)]
    lines = [
        f"{one['name']}: to {', '.join(one['to'])}, TLP:{one['tlp'].upper()}, {one['purpose']}"
        for one in found
    ]
    text = "\n".join(lines) or "No preset is kept. Add one: accord desk preset add."
    terminal.result({"presets": found}, text)


@preset.command()
@click.argument("name")
@common_options
def remove(terminal: Terminal, *, name: str) -> None:
    """Take the preset NAME away."""
    with opened_desk(terminal) as desk:
        _change(desk, name, None)
    terminal.result({"name": name, "removed": True}, f"{name} is gone.")


def read_preset(desk: Desk, name: str) -> dict[str, Any]:
    """Return what a preset says.

    Raises:
        NotFound: ``preset_unknown``.
    """
    found = presets(desk.vault).get(name)
    if found is None:
        raise _unknown(name)
    return parse_object(found, limit=_MAX)


def _change(desk: Desk, name: str, wishes: bytes | None) -> None:
    with desk.vault.transaction() as connection:
        if wishes is not None:
            put_preset(connection, name, wishes)
        elif not remove_preset(connection, name):
            raise _unknown(name)
        record_act_in(
            connection,
            person=person_here(),
            act=Act.LIST_CHANGE,
            subject=f"preset {name}"[:80],
            reason="kept" if wishes is not None else "removed",
            now=desk.clock(),
        )


def _unknown(name: str) -> NotFound:
    return NotFound(
        "preset_unknown",
        "There is no preset of this name.",
        observed=name[:60],
        next_step="accord desk preset list shows them.",
    )
