"""T1: a curious or compromised hub reads what it carries. It finds nothing of an indicator.

A canary travels as value, title, narrative and note; then every byte that the hub kept, wrote,
logged, counted or answered is searched for it, in every spelling that a program might use.
"""

import base64
import io

import httpx2
import msgspec
import pytest
import structlog
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import World
from tests.support.lies import look, twin

from accord.desk.storage.bundles import lines_of, list_bundles
from accord.hub.backups import ArchiveReader
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.indicators import Basis, normalise, record_of
from accord.kernel.markings import OrgKind

CANARY = "canary-5e1c77ab90"
SITE = f"{CANARY}.evil-example.org"
FORMS = (
    CANARY.encode(),
    CANARY.upper().encode(),
    CANARY.encode("utf-16-le"),
    CANARY.encode().hex().encode(),
    *(base64.b64encode(b"x" * pad + CANARY.encode())[4:-4] for pad in range(3)),
)


class Ear:
    """Keeps every answer of the hub to one desk."""

    def __init__(self, *desks: DeskAt) -> None:
        """Listen at the wires of ``desks``."""
        self.heard: list[bytes] = []
        for at in desks:
            at.wire.change = self.hear

    def hear(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        data = response.read()
        self.heard += [str(request.url).encode(), data, str(response.headers).encode()]
        return httpx2.Response(response.status_code, headers=response.headers, content=data)


def backup_of(world: World) -> bytes:
    """Return what a backup of the hub says to whoever has its passphrase."""
    file = world.config.home.parent / "canary.backup"
    world.services.backups.make(file, b"of this test", now=world.clock())
    with file.open("rb") as source:
        return ArchiveReader(source, b"of this test").read()


@pytest.fixture(scope="module")
def traces(world: World, bank: DeskAt, police: DeskAt) -> dict[str, bytes]:
    """All that is left at the hub after a bundle was sent, refused, pulled and searched."""
    log = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=log))
    ear = Ear(bank, police)
    head = PayloadHead(title=f"About {CANARY}", narrative=f"Seen at {CANARY}", case_ref=CANARY)
    record = record_of(normalise(SITE), confidence=80, basis=Basis.OBSERVED)
    record = msgspec.structs.replace(record, note=f"seen with {CANARY}")
    with bank.open() as desk:
        sent = desk.submissions.send(plan(world, police.org, head=head), [record])
        assert sent.complete
    # What the hub refuses is not kept either: a bundle under the path of another one.
    sender = twin(world, bank, OrgKind.FINANCIAL)
    to = twin(world, police, OrgKind.LAW_ENFORCEMENT)
    _, raw = sender.seal(to, values=[SITE], head=head)
    refusal = sender.put_bundle(raw, sent.bundles[0].id)
    assert refusal.status_code == 409
    wrong = sender.put_bundle(raw, sender.seal(to)[0])
    assert wrong.status_code == 403
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).records == 1
        assert look(desk, SITE)
    bank.wire.change = police.wire.change = None
    structlog.reset_defaults()
    pages = ("/metrics", "/v1/hub", "/healthz", "/readyz", "/log/audit/checkpoint")
    found = {path: world.client.get(path).content for path in pages}
    found |= {f"answer {at}": data for at, data in enumerate(ear.heard)}
    found |= {"backup": backup_of(world)}
    found |= {"log": log.getvalue().encode(), "409": refusal.content, "403": wrong.content}
    assert b"/v1/bundles" in found["log"]
    return found | dict(world.files())


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_the_canary_is_nowhere_at_the_hub(traces: dict[str, bytes], form: bytes) -> None:
    assert len(traces) > 20
    assert [place for place, data in traces.items() if form in data] == []


def test_the_search_would_find_it(traces: dict[str, bytes], police: DeskAt) -> None:
    """The recipient's opened vault holds what was sent: the canary did travel."""
    assert traces
    with police.open() as desk:
        (bundle,) = list_bundles(desk.vault)
        (line,) = lines_of(desk.vault, bundle)
        kept = [bundle.title.encode(), bundle.head or b"", line]
    assert all(CANARY.encode() in one for one in kept)
    spelt = base64.b64encode(b"a" + CANARY.encode())
    assert any(form in spelt for form in FORMS)


def test_the_same_record_twice_gives_the_hub_nothing_to_compare(world: World) -> None:
    sender = world.enrol("third-bank", OrgKind.FINANCIAL)
    reader = world.enrol("other-police", OrgKind.LAW_ENFORCEMENT)
    (_, first), (_, second) = (sender.seal(reader, values=[SITE]) for _ in range(2))
    windows = {first[at : at + 16] for at in range(len(first) - 16)}
    common = [at for at in range(len(second) - 16) if second[at : at + 16] in windows]
    body = len(second) - 400
    assert [at for at in common if at > body] == []
