"""``accord doctor``: what is wrong with the installation in a home, and how to mend it."""

from collections.abc import Callable

import click

from accord.clock import system_clock
from accord.desk.cli.doctor import examine_desk
from accord.desk.config import FILE as DESK_FILE
from accord.desk.config import read_config
from accord.findings import Finding, worst, wrong
from accord.hub.cli.doctor import examine_hub
from accord.hub.config import FILE_NAME as HUB_FILE
from accord.hub.config import load_config
from accord.kernel.errors import AccordError, NotFound
from accord.terminal import Failed, Terminal, common_options, exit_code_of
from accord.witness.cli.doctor import examine_witness
from accord.witness.config import WitnessConfig


@click.command()
@common_options
def doctor(terminal: Terminal) -> None:
    """Examine the hub, desk or witness in --home; change nothing.

    Exit code 0 when nothing is wrong (warnings may be), else the code of the worst finding.
    """
    kind, findings = _examined(terminal)
    problem = worst(findings)
    counts = {
        state: sum(1 for one in findings if one.state == state)
        for state in ("ok", "warning", "wrong")
    }
    lines = [line for finding in findings for line in finding.lines()]
    summary = ", ".join(f"{number} {state}" for state, number in counts.items())
    terminal.result(
        {
            "ok": problem is None,
            "program": kind,
            "home": str(terminal.home),
            "findings": [finding.as_dict() for finding in findings],
        },
        "\n".join([f"The {kind} in {terminal.home}:", *lines, summary]),
    )
    if problem is not None:
        raise Failed(exit_code_of(problem))


def _examined(terminal: Terminal) -> tuple[str, list[Finding]]:
    """Return which program's home it is, and what was found.

    Raises:
        NotFound: ``home_unknown``.
    """
    home = terminal.home
    witness = WitnessConfig(home=home)
    if (home / HUB_FILE).exists():
        return "hub", _all(lambda: examine_hub(load_config(home), clock=system_clock))
    if (home / DESK_FILE).exists():
        return "desk", _all(lambda: examine_desk(read_config(home), clock=system_clock))
    if witness.database.exists() or witness.keys.exists():
        return "witness", _all(lambda: examine_witness(witness, clock=system_clock))
    raise NotFound(
        "home_unknown",
        "There is no hub, desk or witness in this folder.",
        observed=str(home),
        next_step="Give --home, or make one: accord hub init, accord desk init, accord witness "
        "init.",
    )


def _all(examine: Callable[[], list[Finding]]) -> list[Finding]:
    """Return all findings; settings that cannot be read are the only one."""
    try:
        return examine()
    except AccordError as error:
        return [wrong("settings", error)]
