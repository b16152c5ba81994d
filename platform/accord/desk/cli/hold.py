"""``accord hold``: keep what a case needs from being deleted at the end of its retention."""

from typing import Any

import click

from accord.clock import moment
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.storage.holds import Hold, holds, lift_holds, set_hold
from accord.kernel.identifiers import parse_bundle_id
from accord.terminal import Terminal, common_options


@click.group()
def hold() -> None:
    """Legal holds by case: what they cover is not deleted while they stand."""


@hold.command()
@click.argument("case")
@click.option("--bundle", "bundles", multiple=True, metavar="ID", help="A bundle; may be repeated.")
@click.option("--reason", required=True, help="Why, in words; kept in the journal.")
@common_options
def add(terminal: Terminal, *, case: str, bundles: tuple[str, ...], reason: str) -> None:
    """Hold what carries this case's reference, and the bundles that are named."""
    ids = [parse_bundle_id(one) for one in bundles]
    with opened_desk(terminal) as desk:
        made = set_hold(
            desk.vault, case, ids, reason=reason, person=person_here(), now=desk.clock()
        )
    terminal.result(_data(made), _line(made))


@hold.command("list")
@common_options
def list_(terminal: Terminal) -> None:
    """List the holds, lifted ones too, the latest first."""
    with opened_desk(terminal) as desk:
        found = holds(desk.vault)
    terminal.result(
        {"holds": [_data(one) for one in found]},
        "\n".join(map(_line, found)) or "No hold was ever set here.",
    )


@hold.command()
@click.argument("case")
@click.option("--reason", required=True, help="Why, in words; kept in the journal.")
@common_options
def release(terminal: Terminal, *, case: str, reason: str) -> None:
    """Lift every hold of a case; what is past its retention goes with the next round."""
    with opened_desk(terminal) as desk:
        count = lift_holds(desk.vault, case, reason=reason, person=person_here(), now=desk.clock())
    terminal.result({"case": case, "lifted": count}, f"Lifted {count} holds of {case}.")


def _data(one: Hold) -> dict[str, Any]:
    return {
        "no": one.no,
        "case": one.case,
        "reason": one.reason,
        "person": one.person,
        "at": one.at,
        "lifted": one.lifted,
        "bundles": [{"org": org, "id": id_} for org, id_ in one.bundles],
    }


def _line(one: Hold) -> str:
    state = "stands" if one.lifted is None else f"lifted {moment(one.lifted)}"
    return f"{one.case}  {state}  since {moment(one.at)}  by {one.person}: {one.reason}"
