"""The scene of a story: a hub with its witness and registrar, and organisations enrolled at it.

Everything is made by the real commands in processes of their own. Used by the demo and the benches.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accord.demo.parties import ORIGIN, REGISTRAR, WITNESS, Party
from accord.demo.processes import Processes
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import OrgId, org_name
from accord.kernel.policy.default_charter import DEFAULT_CHARTER


class Scene:
    """One hub and its members.

    Attributes:
        hub_url: where the hub answers, once it is set up.
        people: for each party the account of its desk's pages.
    """

    def __init__(self, processes: Processes) -> None:
        """Work in ``processes``."""
        self._run = processes
        self._folder = processes.folder
        self.hub_url = ""
        self.people: dict[str, Mapping[str, Any]] = {}

    @property
    def root(self) -> Path:
        """The root file that the registrar signed."""
        return self._folder / "root.json"

    def set_up(self) -> None:
        """Make and start witness and hub; install root file and charter."""
        run = self._run
        _, registrar = run.run_all(
            [
                ("witness", ("witness", "init", "--name", WITNESS)),
                ("registrar", ("registrar", "init", "--name", REGISTRAR)),
            ]
        )
        witness = self._folder / "witness.json"
        witness.write_text(json.dumps(run.serve("witness", "witness", "serve", "--port", "0")))
        made = run.run(
            "hub",
            *("hub", "init", "--origin", ORIGIN, "--listen", "127.0.0.1:0"),
            *("--registrar", registrar.data["public_file"], "--witness", str(witness)),
        )
        root = str(self.root)
        charter = self._folder / "charter.toml"
        charter.write_text(DEFAULT_CHARTER, encoding="utf-8")
        signed = f"{charter}.json"
        run.run("registrar", "registrar", "sign", made.data["draft"], "-o", root, "--yes")
        run.run_all(
            [
                ("hub", ("hub", "root", "install", root)),
                ("witness", ("witness", "log", "add", "--root", root)),
                ("registrar", ("registrar", "sign", str(charter), "-o", signed, "--yes")),
            ]
        )
        run.run("hub", "hub", "charter", "publish", signed)
        self.hub_url = str(run.serve("hub", "hub", "serve")["url"])

    def enrol(self, parties: Sequence[Party]) -> None:
        """Enrol ``parties``: invite, keys, six words, registrar, approval."""
        run = self._run
        kinds = sorted({one.kind for one in parties})
        done = run.run_all(
            [
                ("hub", ("hub", "org", "invite", "--kind", kind, *_slugs(parties, kind)))
                for kind in kinds
            ]
            + [(one.slug, ("desk", "init", "--hub", self.hub_url)) for one in parties]
        )
        desks = done[len(kinds) :]
        invites = {
            org_name(OrgId(one["org"])): one["invite"]
            for found in done[: len(kinds)]
            for one in found.data["invites"]
        }
        self.people = {
            one.slug: {"user": desk.data["person"], "password": desk.data["password"]}
            for one, desk in zip(parties, desks, strict=True)
        }
        begun = run.run_all(
            [
                (
                    one.slug,
                    (
                        *("desk", "enrol", "--invite", invites[one.slug], "--name", one.slug),
                        *("--display-name", one.name, "--kind", one.kind, "--country", one.country),
                        *("--contact", f"duty desk of {one.name}", "--root", str(self.root)),
                        *(word for role in one.roles for word in ("--role", role)),
                    ),
                )
                for one in parties
            ]
        )
        words = {found.data["org"]: found.data["words"] for found in begun}
        waiting = run.run("hub", "hub", "org", "export", "-o", str(self._folder / "waiting"))
        files = [(one["org"], one["file"]) for one in waiting.data["enrolments"]]
        signed = run.run_all(
            [
                ("registrar", ("registrar", "sign", file, "-o", f"{file}.signed", "--yes"))
                for _, file in files
            ]
        )
        for (org, _), one in zip(files, signed, strict=True):
            if one.data["six_words"] != words[org]:
                raise Unavailable("demo_step_failed", "The six words differ.", observed=org)
        run.run("hub", "hub", "org", "approve", *(f"{file}.signed" for _, file in files))
        run.run_all([(one.slug, ("desk", "enrol")) for one in parties])


def _slugs(parties: Sequence[Party], kind: str) -> list[str]:
    return [one.slug for one in parties if one.kind == kind]
