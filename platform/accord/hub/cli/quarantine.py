"""``accord hub quarantine``: bundles held aside because their sender sent too many at once."""

from collections.abc import Sequence
from typing import Any

import click

from accord.hub.bundles import Held, HeldState
from accord.hub.cli.opened import opened_hub
from accord.kernel.errors import NotFound, Refused
from accord.kernel.identifiers import BundleId, OrgId, make_org_id, parse_bundle_id, parse_org_id
from accord.terminal import Terminal, common_options

_ORG = click.option("--org", "org_text", metavar="NAME", help="Only what this member sent.")


@click.group()
def quarantine() -> None:
    """What is held aside, and why; release it to its recipients, or drop it."""


@quarantine.command("list")
@_ORG
@click.option("--all", "everything", is_flag=True, help="Also what was released or dropped.")
@common_options
def list_(terminal: Terminal, *, org_text: str | None, everything: bool) -> None:
    """List what is held aside."""
    with opened_hub(terminal) as services:
        found = services.quarantine.list(
            org=_org(org_text, services.config.origin),
            state=None if everything else HeldState.HELD,
        )
    lines = [
        f"{one.bundle}  {one.org}  {one.kind}  {one.size} bytes  {one.state}: {one.reason}"
        for one in found
    ]
    terminal.result(
        {"held": [_data(one) for one in found]},
        "\n".join(lines) or "Nothing is held aside.",
    )


@quarantine.command()
@click.argument("bundles", metavar="ID…", nargs=-1)
@_ORG
@common_options
def release(terminal: Terminal, *, bundles: tuple[str, ...], org_text: str | None) -> None:
    """Deliver the bundles ID…, or with --org all that this member sent."""
    _decide(terminal, bundles, org_text, HeldState.RELEASED)


@quarantine.command()
@click.argument("bundles", metavar="ID…", nargs=-1)
@_ORG
@common_options
def drop(terminal: Terminal, *, bundles: tuple[str, ...], org_text: str | None) -> None:
    """Leave the bundles ID… (with --org: all of this member) undelivered for good."""
    _decide(terminal, bundles, org_text, HeldState.DROPPED)


def _decide(
    terminal: Terminal, bundles: tuple[str, ...], org_text: str | None, state: HeldState
) -> None:
    if not bundles and org_text is None:
        raise click.UsageError("Say which: ID…, or --org NAME.")  # noqa: TRY003 - click's own form
    with opened_hub(terminal, signs=True) as services:
        org = _org(org_text, services.config.origin)
        held = services.quarantine.list(org=org, state=HeldState.HELD, limit=100_000)
        chosen = _chosen(held, [parse_bundle_id(one) for one in bundles])
        if bundles and len({one.bundle for one in chosen}) < len(set(bundles)):
            raise NotFound(
                "held_unknown",
                "Not every one of these bundles is held aside.",
                observed=f"{len(chosen)} of {len(set(bundles))}",
                next_step="accord hub quarantine list shows those that are.",
            )
        question = f"{len(chosen)} bundles become {state}. Go on?"
        if not terminal.dry_run and not terminal.confirm(question):
            raise Refused(
                "not_confirmed", "Nothing was changed.", next_step="Answer yes, or give --yes."
            )
        act = services.quarantine.release
        if state is HeldState.DROPPED:
            act = services.quarantine.drop
        for one in () if terminal.dry_run else chosen:
            act(one.org, one.bundle, now=services.clock())
    done = "would be" if terminal.dry_run else "are"
    terminal.result(
        {"state": state.value, "bundles": [{"id": one.bundle, "org": one.org} for one in chosen]},
        f"{len(chosen)} bundles {done} {state}.",
    )


def _chosen(held: Sequence[Held], named: Sequence[BundleId]) -> list[Held]:
    return [one for one in held if not named or one.bundle in named]


def _org(text: str | None, origin: str) -> OrgId | None:
    if text is None:
        return None
    return parse_org_id(text) if "@" in text else make_org_id(text, origin)


def _data(one: Held) -> dict[str, Any]:
    return {
        "id": one.bundle,
        "org": one.org,
        "kind": one.kind,
        "bytes": one.size,
        "reason": one.reason,
        "since": one.since,
        "state": one.state.value,
        "decided": one.decided,
    }
