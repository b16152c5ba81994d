"""``accord hub check``: examine a hub that is not serving, or one that is."""

from functools import partial

import click

from accord.findings import Finding, attempt, worst
from accord.hub.bundles.examination import examine_bodies
from accord.hub.cli.opened import opened_hub
from accord.hub.services import Services
from accord.hub.storage import BodyStore
from accord.hub.storage.examination import database_state, looking_at, require_sound
from accord.hub.transparency import LogName, recompute
from accord.terminal import Failed, Terminal, common_options, exit_code_of


@click.command()
@common_options
def check(terminal: Terminal) -> None:
    """Check settings, keys, root file, database, bodies, charter; recompute both logs."""
    # Opening has checked the settings, and that the keys are those that the root file names.
    with opened_hub(terminal) as services:
        findings = examine_content(services)
    problem = worst(findings)
    terminal.result(
        {
            "ok": problem is None,
            "checks": [
                {"check": one.check, "ok": one.problem is None, "observed": one.observed}
                for one in findings
            ],
        },
        "\n".join(
            f"{'ok ' if one.problem is None else 'BAD'} {one.check}: {one.observed}"
            for one in findings
        ),
    )
    if problem is not None:
        raise Failed(exit_code_of(problem))


def examine_content(services: Services) -> list[Finding]:
    """Return one finding for the database, each log, the bodies and the charter."""
    return [
        attempt("database", partial(_database, services)),
        *(attempt(f"log {name}", partial(_log, services, name)) for name in LogName),
        attempt("sealed bodies", partial(_bodies, services)),
        attempt("charter", lambda: f"version {services.directory.charter().version}"),
    ]


def _database(services: Services) -> str:
    with looking_at(services.config.place) as engine:
        return require_sound(database_state(engine, thorough=True))


def _log(services: Services, name: LogName) -> str:
    checkpoint = recompute(services.reader, services.root, name)
    return "empty" if checkpoint is None else f"{checkpoint.size} entries"


def _bodies(services: Services) -> str:
    return f"{examine_bodies(services.database.reading, BodyStore(services.config.bodies))} files"
