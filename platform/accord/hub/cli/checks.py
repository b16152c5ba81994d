"""``accord hub check``: examine a hub that is not serving, or one that is."""

import click

from accord.hub.cli.opened import opened_hub
from accord.hub.services import Services
from accord.hub.transparency import LogName
from accord.kernel.errors import AccordError
from accord.kernel.tlog.checkpoint import verify_checkpoint
from accord.kernel.tlog.merkle import leaf_hash
from accord.kernel.tlog.merkle import root as merkle_root
from accord.terminal import EXIT_VERIFICATION, Failed, Terminal, common_options

BLOCK = 4096


@click.command()
@common_options
def check(terminal: Terminal) -> None:
    """Check settings, keys, root file, charter, and that each log's entries give its root."""
    findings: list[dict[str, object]] = []
    with opened_hub(terminal) as services:
        for name in LogName:
            head = services.reader.head(name)
            if head is None:
                findings.append({"check": f"log {name}", "ok": True, "observed": "empty"})
                continue
            checkpoint = verify_checkpoint(
                head.note,
                origin=services.root.log_origin(name),
                log_vkeys=services.root.log_vkeys(name),
            )
            hashes = [
                leaf_hash(entry)
                for first in range(0, head.size, BLOCK)
                for entry in services.reader.entries(name, first, min(BLOCK, head.size - first))
            ]
            findings.append(
                {
                    "check": f"log {name}",
                    "ok": merkle_root(hashes) == checkpoint.root,
                    "observed": f"{head.size} entries",
                }
            )
        findings.append(_charter(services))
    ok = all(finding["ok"] for finding in findings)
    terminal.result(
        {"ok": ok, "checks": findings},
        "\n".join(
            f"{'ok ' if one['ok'] else 'BAD'} {one['check']}: {one['observed']}" for one in findings
        ),
    )
    if not ok:
        raise Failed(EXIT_VERIFICATION)


def _charter(services: Services) -> dict[str, object]:
    try:
        version = services.directory.charter().version
    except AccordError as error:
        return {"check": "charter", "ok": False, "observed": error.code}
    return {"check": "charter", "ok": True, "observed": f"version {version}"}
