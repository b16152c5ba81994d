"""The demo's story, told by the real commands in real processes over real HTTP on loopback.

Each stage runs what a person would run; nothing is reached behind the commands but the closed
month's tallies, which are made from generated rows and signed with the desks' own keys.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accord.clock import system_clock
from accord.demo.newcomer import join
from accord.demo.parties import BANK, EVERYBODY, NGO, POLICE, SUBMITTERS
from accord.demo.processes import Processes
from accord.demo.sample_tallies import organisation_rows
from accord.demo.samples import write_csv
from accord.demo.scene import Scene
from accord.desk.app import open_desk
from accord.desk.exchange.tally import last_closed_month, send_tally
from accord.kernel.errors import Unavailable
from accord.kernel.statements.tally import Cell, Tally

TALLY_ROWS = 4_000
"""Generated rows behind each organisation's tally of the closed month."""

SEARCH_VALUES = 20
"""Values of the export that the police look up."""

_PARTLY = 5
_NOTHING = 1


class Story:
    """Runs the stages and keeps what the report says of them."""

    def __init__(self, processes: Processes, *, say: Any) -> None:  # noqa: ANN401 - a printer
        """Work in ``processes``; ``say`` tells a person where the story is."""
        self._run = processes
        self._say = say
        self._folder = processes.folder
        self.seconds: dict[str, float | None] = {}
        self.skipped: dict[str, str] = {}
        self.report: dict[str, Any] = {}
        self._scene = Scene(processes)

    @property
    def root(self) -> Path:
        """The root file with which receipt and log are checked."""
        return self._scene.root

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self._say(f"{name} …")
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)

    def _skip(self, reason: str, *names: str) -> None:
        for name in names:
            self.seconds[name] = None
            self.skipped[name] = reason

    def tell(self, *, rows: int, export: Path | None) -> dict[str, Any]:
        """Run every stage and return the report."""
        with self._stage("set up the hub and its witness"):
            self._scene.set_up()
        with self._stage("enrol seven organisations"):
            self._scene.enrol(EVERYBODY)
        with self._stage("make the sample export"):
            file = export or self._sample(rows)
        with self._stage("submit"):
            submitted = self._submit(file)
        self._follow(submitted, file)
        with self._stage("summary"):
            self._summary()
        with self._stage("verify the log"):
            self._verify_log()
        with self._stage("open the pages"):
            self._open_pages()
        return self._told()

    # The bank and the police -------------------------------------------------------------------

    def _sample(self, rows: int) -> Path:
        path = self._folder / "export.csv"
        write_csv(path, rows)
        return path

    def _submit(self, file: Path) -> bool:
        """Let the bank submit; tell whether anything went."""
        outcome = self._run.run(
            BANK.slug,
            *("submit", str(file), "--to", POLICE.slug, "--tlp", "amber"),
            *("--purpose", "suspicion-report", "--records", str(self._records)),
            allowed=(0, _NOTHING, _PARTLY),
        )
        data = outcome.data
        if "totals" not in data:  # a report says of an export of which nothing can go
            raise Unavailable(
                "demo_step_failed", "The submission failed.", observed=data["error"]["message"]
            )
        totals = data["totals"]
        bundles = data["bundles"]
        size, records = (sum(one[name] for one in bundles) for name in ("bytes", "records"))
        self.report["rows"] = {"read": sum(totals.values()), **totals}
        self.report["refused_by_code"] = data["refused_by_code"]
        self.report["bundles"] = len(bundles)
        self.report["bytes_per_record"] = round(size / records, 1) if records else None
        self.report["receipt"] = {
            "verified": data["sent"]["complete"] and bool(bundles),
            "file": bundles[0]["receipt"] if bundles else None,
        }
        return bool(bundles)

    @property
    def _records(self) -> Path:
        return self._folder / "records.ndjson"

    def _follow(self, submitted: bool, file: Path) -> None:  # noqa: FBT001 - what the stage before left
        self.report["police"] = {"found": 0, "searched": 0}
        if not submitted:
            self._skip(
                f"no row of {file.name} is ready to be sent",
                "check the receipt",
                "pull",
                "search",
            )
            return
        with self._stage("check the receipt"):
            receipt = self.report["receipt"]["file"]
            self._run.run(BANK.slug, "verify", receipt, "--root", str(self._scene.root))
        with self._stage("pull"):
            self._run.run(POLICE.slug, "pull")
        values = self._sent_values()
        if not values:
            self._skip("transactions are looked up with their network, not bare", "search")
            return
        with self._stage("search"):
            found = self._run.run(POLICE.slug, "search", *values, "--reason", "demo case 1").data
            hits = sum(1 for one in found["results"] if one["hits"])
            self.report["police"] = {"found": hits, "searched": len(values)}

    def _sent_values(self) -> list[str]:
        """Return some values that the export had and that went."""
        found = []
        with self._records.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                # A transaction id alone does not say its network, so it is not looked up bare.
                if record["result"] in {"ready", "changed"} and record["kind"] != "transaction":
                    found.append(record["value"])
                if len(found) == SEARCH_VALUES:
                    break
        return found

    # The NGO and the log -----------------------------------------------------------------------

    def _summary(self) -> None:
        month = last_closed_month(system_clock())
        for number, party in enumerate(SUBMITTERS):
            self._send_tally(number, party.slug, month)
        released = self._run.run("hub", "hub", "summary", "release", month).data
        self.report["summary"] = {
            "month": month,
            "shown": released["shown"],
            "hidden": released["hidden"],
        }

    def _send_tally(self, number: int, slug: str, month: str) -> None:
        counts = Counter(organisation_rows(number, TALLY_ROWS))
        cells = [
            Cell(
                kind=row.kind,
                network=row.network,
                role=row.role,
                country=row.country,
                records=records,
            )
            for row, records in counts.items()
        ]
        passphrase = self._run.passphrase_file.read_bytes().strip()
        with open_desk(self._run.home(slug), passphrase, clock=system_clock) as desk:
            tally = Tally(
                org=desk.org,
                month=month,
                created=system_clock(),
                cells=tuple(sorted(cells, key=lambda cell: cell.place)),
            )
            send_tally(desk.client, desk.keyring, tally)

    def _verify_log(self) -> None:
        url = f"{self._scene.hub_url}/log/audit"
        outcome = self._run.run(
            "auditor", "log", "verify", url, "--root", str(self._scene.root), allowed=(0, 3)
        )
        self.report["log"] = {
            "verified": outcome.data["ok"],
            "size": outcome.data["size"],
            "url": url,
        }

    # The pages ---------------------------------------------------------------------------------

    def _open_pages(self) -> None:
        run = self._run
        person = run.run("hub", "hub", "user", "add", "ngo-analyst", "--org", NGO.slug).data
        pages = [
            {
                "role": "NGO, summary",
                "url": f"{self._scene.hub_url}/sign-in",
                "user": person["login"],
                "password": join(self._scene.hub_url, person["login"], person["code"]),
            }
        ]
        for role, party in (("police, inbox and search", POLICE), ("bank, inbox", BANK)):
            if party is POLICE:
                tool = run.run(party.slug, "tool", "add", "demo-tool").data
                ready = run.serve(party.slug, "desk", "serve", "--port", "0")
                self._tell_feeds(tool, str(ready["url"]))
            else:
                ready = run.serve(party.slug, "desk", "serve", "--port", "0")
            url = f"{ready['url']}/sign-in"
            pages.append({"role": role, "url": url, **self._scene.people[party.slug]})
        self.report["pages"] = pages
        self.report["homes"] = {
            "hub": str(run.home("hub")),
            "bank": str(run.home(BANK.slug)),
            "police": str(run.home(POLICE.slug)),
            "ngo": str(run.home(NGO.slug)),
            "passphrase_file": str(run.passphrase_file),
        }

    def _tell_feeds(self, tool: Mapping[str, Any], served: str) -> None:
        """Report where tools read what the police received; the port is the one that was free."""
        taxii, misp = tool["taxii"], tool["misp"]
        self.report["taxii"] = {
            "base": served + urlsplit(taxii["base"]).path,
            **{name: taxii[name] for name in ("user", "password", "collection")},
        }
        self.report["misp"] = {
            "url": served + urlsplit(misp["url"]).path,
            "header": misp["header"],
        }

    def _told(self) -> dict[str, Any]:
        report = self.report
        nothing = "pull" in self.skipped
        ok = (
            report["log"]["verified"]
            and report["summary"]["shown"] > 0
            and (nothing or report["receipt"]["verified"])
            and report["police"]["found"] == report["police"]["searched"]
            and ("search" in self.skipped or report["police"]["found"] > 0)
        )
        return {"ok": bool(ok), **report, "seconds": self.seconds, "skipped": self.skipped}
