"""A submit that is killed by the system after some parts: run as a process by the tests."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.desk.conftest import records_of

from accord.clock import system_clock
from accord.desk.app import open_desk
from accord.desk.exchange import submission
from accord.desk.exchange.submission import Plan, SentBundle
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import LegalBasis, Onward, Purpose, Tlp

VALUES = [f"shop{number}.evil-example.org" for number in range(9)]


def plan_of(now: int) -> Plan:
    return Plan(
        recipients=(OrgId("police@hub.test"),),
        policy=HandlingPolicy(
            tlp=Tlp.AMBER,
            purpose=Purpose.SUSPICION_REPORT,
            legal_basis=LegalBasis.LEGAL_OBLIGATION,
            onward=Onward.NONE,
        ),
        expires=now + 30 * 86_400,
        head=PayloadHead(title="Killed"),
        source=b"k" * 32,
        name="killed.csv",
    )


def main(home: Path, passphrase: bytes, place: str) -> None:
    submission.MAX_ROWS = 2
    heard: list[SentBundle] = []

    def records() -> Iterator[IndicatorRecord]:
        for number, record in enumerate(records_of(VALUES)):
            if place == "between" and number == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            yield record

    if place == "before-put":
        submission.Submissions._put = _die  # type: ignore[method-assign, assignment]
    with open_desk(home, passphrase, clock=system_clock) as desk:
        desk.submissions.send(plan_of(system_clock()), records(), on_bundle=heard.append)


def _die(_self: object, _bundle: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].encode(), sys.argv[3])
