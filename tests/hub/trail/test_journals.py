"""Heads are compared journal by journal; each begins anew once, ends once, and only its owner's."""

import itertools
import json
import secrets
from collections.abc import Iterator

import pytest
from tests.hub.trail.conftest import Scene
from tests.support.hub_people import make_person
from tests.support.hub_world import Desk

from accord.hub.access import Actor, Role
from accord.hub.trail import journals, parse_wanted
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, AuthenticationNeeded, Conflict, Refused, Unavailable
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart
from accord.protocol import paths


@pytest.fixture(autouse=True)
def _a_while_later(scene: Scene) -> None:
    scene.world.clock.now += 100


@pytest.fixture
def names() -> Iterator[bytes]:
    return (secrets.token_bytes(16) for _ in itertools.count())


def head(size: int, root: int = 1) -> GrownHead:
    return GrownHead(size=size, root=bytes([root]) * 32)


def restart(journal: bytes, size: int = 5, **changes: object) -> Restart:
    values: dict[str, object] = {"head": head(size), "kept": 2, "cause": Cause.RESTORED}
    return Restart(journal=journal, **values | changes)  # type: ignore[arg-type]


class At:
    """One organisation's desk at the hub's verbs."""

    def __init__(self, scene: Scene, desk: Desk) -> None:
        """Speak as the desk of ``desk``."""
        self.verbs = scene.world.services.journals
        self.clock = scene.world.clock
        self.actor = Actor(org=desk.org, kind=desk.kind, role=Role.DESK)

    def send(self, journal: bytes | None, found: GrownHead) -> int:
        self.clock.now += 20
        return self.verbs.anchor(self.actor, found, journal=journal, now=self.clock())

    def restart(self, found: Restart) -> int:
        return self.verbs.restart(self.actor, found, now=self.clock())

    def refused(self, journal: bytes | None, found: GrownHead) -> str:
        with pytest.raises(AccordError) as caught:
            self.send(journal, found)
        return caught.value.code

    def restart_refused(self, found: Restart) -> str:
        with pytest.raises(AccordError) as caught:
            self.restart(found)
        return caught.value.code


@pytest.fixture
def bank(scene: Scene) -> At:
    return At(scene, scene.bank)


@pytest.fixture
def police(scene: Scene) -> At:
    return At(scene, scene.police)


def test_two_journals_of_one_organisation_are_compared_apart(
    bank: At, names: Iterator[bytes]
) -> None:
    one, two = next(names), next(names)
    first = bank.send(one, head(9))
    assert bank.send(two, head(3)) > first, "fewer rows, and another journal"
    assert bank.refused(one, head(8)) == "journal_head_older"
    assert bank.refused(one, head(9, 2)) == "journal_head_other"
    assert bank.send(one, head(9)) == first
    assert bank.refused(two, head(2)) == "journal_head_older"
    assert bank.send(two, head(4)) > first


def test_heads_without_a_name_go_on_as_before(bank: At, names: Iterator[bytes]) -> None:
    bank.send(next(names), head(50))
    first = bank.send(None, head(4))
    assert bank.send(None, head(4)) == first
    assert bank.refused(None, head(3)) == "journal_head_older"
    assert bank.refused(None, head(4, 2)) == "journal_head_other"


def test_two_heads_of_one_journal_need_a_pause_and_two_journals_none(
    bank: At, names: Iterator[bytes]
) -> None:
    one, two = next(names), next(names)
    bank.send(one, head(1))
    assert bank.verbs.anchor(bank.actor, head(1), journal=two, now=bank.clock())
    with pytest.raises(Unavailable) as caught:
        bank.verbs.anchor(bank.actor, head(2), journal=one, now=bank.clock())
    assert caught.value.code == "journal_head_soon"


def test_a_journal_that_ended_takes_no_head_and_ends_once(bank: At, names: Iterator[bytes]) -> None:
    old, new, third = next(names), next(names), next(names)
    number = bank.send(old, head(9))
    event = bank.restart(restart(new, ended=old))
    assert event > number
    assert bank.refused(old, head(10)) == "journal_ended"
    assert bank.send(old, head(9)) == number, "what was taken is answered as before"
    assert bank.restart_refused(restart(third, ended=old)) == "journal_unknown"
    assert bank.restart_refused(restart(old, 12)) == "journal_ended"
    assert bank.send(new, head(6)) > event


def test_a_restart_that_comes_again_is_no_second_one(bank: At, names: Iterator[bytes]) -> None:
    old, new = next(names), next(names)
    bank.send(old, head(9))
    told = restart(new, ended=old)
    event = bank.restart(told)
    assert bank.restart(told) == event
    for other in (
        restart(new),
        restart(new, ended=old, kept=3),
        restart(new, ended=old, cause=Cause.MADE_ANEW),
        restart(new, 6, ended=old),
        restart(new, head=head(5, 2), ended=old),
    ):
        assert bank.restart_refused(other) == "journal_restarted"


def test_a_journal_that_is_there_may_say_why_once_and_never_shrinks(
    bank: At, names: Iterator[bytes]
) -> None:
    one = next(names)
    bank.send(one, head(5))
    assert bank.restart_refused(restart(one, 4)) == "journal_head_older"
    assert bank.restart_refused(restart(one, head=head(5, 2))) == "journal_head_other"
    event = bank.restart(restart(one, 6, cause=Cause.SECOND_DESK))
    assert bank.restart_refused(restart(one, 7)) == "journal_restarted"
    assert bank.send(one, head(8)) > event


def test_a_journal_may_end_others_from_afar_and_each_once(bank: At, names: Iterator[bytes]) -> None:
    own, lost, second = next(names), next(names), next(names)
    for name in (lost, second):
        bank.send(name, head(9))
    bank.restart(restart(own, 3))
    told = {"kept": 0, "cause": Cause.LOST_DESK}
    first = bank.restart(restart(own, 4, ended=lost, **told))
    assert bank.restart(restart(own, 4, ended=lost, **told)) == first, "the same again"
    assert bank.restart_refused(restart(own, 5, ended=lost, **told)) == "journal_unknown"
    assert bank.restart_refused(restart(own, 5, ended=next(names), **told)) == "journal_unknown"
    assert bank.restart_refused(restart(own, 3, ended=second, **told)) == "journal_head_older"
    assert bank.restart(restart(own, 6, ended=second, **told)) > first
    assert bank.refused(second, head(10)) == "journal_ended"
    assert bank.restart_refused(restart(own, 7)) == "journal_restarted", "it began before"
    assert bank.send(own, head(8)) > first


def test_nobody_ends_or_shrinks_the_journal_of_another_organisation(
    bank: At, police: At, names: Iterator[bytes]
) -> None:
    ours, theirs, unknown = next(names), next(names), next(names)
    bank.send(ours, head(9))
    told = [police.restart_refused(restart(theirs, ended=name)) for name in (ours, unknown)]
    assert told == ["journal_unknown"] * 2, "a stranger learns nothing"
    police.restart(restart(ours, 3))
    police.send(ours, head(4, 7))
    assert bank.send(ours, head(10)), "the same name at another organisation is another journal"


def test_only_a_desk_restarts(scene: Scene, names: Iterator[bytes]) -> None:
    verbs, told = scene.world.services.journals, restart(next(names))
    for desk, role in (
        (scene.bank, Role.ADMINISTRATOR),
        (scene.bank, Role.AUDITOR),
        (scene.ombudsman, Role.DESK),
        (scene.operator, Role.DESK),
    ):
        with pytest.raises(Refused):
            verbs.restart(scene.actor(desk, role), told, now=scene.world.clock())
    with pytest.raises(AuthenticationNeeded):
        verbs.restart(None, told, now=scene.world.clock())


def test_an_organisation_has_so_many_journals_at_most(
    scene: Scene, names: Iterator[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = At(scene, scene.world.enrol("busy-ngo", scene.police.kind))
    monkeypatch.setattr(journals, "MAX_JOURNALS", 2)
    kept = [next(names) for _ in range(2)]
    for name in kept:
        at.send(name, head(1))
    assert at.refused(next(names), head(1)) == "journals_too_many"
    with pytest.raises(Conflict):
        at.restart(restart(next(names), ended=kept[0]))
    at.send(kept[1], head(2))


def put(desk: Desk, path: str, body: dict[str, object]) -> tuple[int, str]:
    raw = json.dumps(body).encode()
    headers = desk.headers("PUT", path, body=raw, content_type=paths.JSON_TYPE)
    answer = desk.world.client.put(path, content=raw, headers=headers)
    return answer.status_code, answer.json().get("code", "")


def test_the_wire_takes_a_name_or_none_and_nothing_else(
    scene: Scene, names: Iterator[bytes]
) -> None:
    name = b64encode(next(names))
    body: dict[str, object] = {"size": 700, "root": b64encode(b"\1" * 32)}
    for wrong in ("", name[:-4], b64encode(bytes(17)), None, 7, name.replace("=", "")):
        path, told = paths.JOURNAL_HEAD, body | {"journal": wrong}
        assert put(scene.police, path, told) == (400, "request_invalid")
    assert put(scene.police, paths.JOURNAL_HEAD, body) == (202, "")
    assert put(scene.police, paths.JOURNAL_HEAD, body | {"journal": name}) == (202, "")
    good = body | {"journal": name, "size": 701, "kept": 4, "cause": "restored"}
    for change in (
        {"cause": "because"},
        {"cause": "Restored"},
        {"kept": -1},
        {"kept": "4"},
        {"reason": "case 7 of Mrs. X"},
        {"journal": name[:-4]},
        {"ended": ""},
    ):
        path = paths.JOURNAL_RESTART
        assert put(scene.police, path, good | change) == (400, "request_invalid")
    for change in ({"kept": 701}, {"ended": name}, {"cause": "second-desk", "ended": name}):
        told = (400, "journal_restart_invalid")
        assert put(scene.police, paths.JOURNAL_RESTART, good | change) == told
    assert put(scene.police, paths.JOURNAL_RESTART, good) == (202, "")


def test_auditor_and_administrator_see_the_cut_with_its_date_and_cause(
    scene: Scene, bank: At, names: Iterator[bytes]
) -> None:
    old, new = next(names), next(names)
    bank.send(old, head(9))
    event = bank.restart(restart(new, ended=old))
    said = f"journal={new.hex()} kept=2 ended={old.hex()}"
    wanted = parse_wanted({"what": "journal.restarted"})
    for desk, role in (
        (scene.bank, Role.AUDITOR),
        (scene.bank, Role.ADMINISTRATOR),
        (scene.ombudsman, Role.AUDITOR),
    ):
        page = scene.world.services.trail.search(
            scene.actor(desk, role), wanted, limit=200, now=scene.world.clock()
        )
        (row,) = [row for row in page.rows if row.number == event]
        told = [row.fields[name] for name in ("org", "basis", "detail")]
        assert told == [scene.bank.org, "restored", said]
    person = make_person(scene.world, "auditor-of-cuts", scene.bank.org, Role.AUDITOR)
    text = person.browser().get("/audit", params={"what": "journal.restarted"}).text
    assert f"restored {said}" in text


def test_every_person_of_the_organisation_sees_it_on_the_page_of_the_logs(
    scene: Scene, names: Iterator[bytes]
) -> None:
    old, new, second = next(names), next(names), next(names)
    desk = scene.world.enrol("page-bank", scene.bank.kind)
    at = At(scene, desk)
    at.send(old, head(9))
    event = at.restart(restart(new, ended=old))
    at.restart(restart(second, 3, kept=0, cause=Cause.SECOND_DESK))
    anew = at.restart(restart(next(names), 3, kept=0, cause=Cause.MADE_ANEW))
    for role in (Role.ANALYST, Role.VIEWER):
        person = make_person(scene.world, f"page-{role.value}", desk.org, role)
        text = person.browser().get("/log").text
        for said in (
            "an older vault was put back",
            "a second desk has the same keys",
            "the vault was made anew",
            f"<code>{old.hex()[:8]}</code>",
            f"<code>{new.hex()[:8]}</code>",
            f">{event}</td>",
        ):
            assert said in text
    other = make_person(scene.world, "page-stranger", scene.police.org, Role.ANALYST)
    assert new.hex()[:8] not in other.browser().get("/log").text
    shown = scene.world.services.journals.restarts(scene.actor(desk, Role.VIEWER))
    assert [one.number for one in shown][::2] == [anew, event]
    with pytest.raises(AuthenticationNeeded):
        scene.world.services.journals.restarts(None)


def test_oversight_of_nobody_and_other_members_do_not_see_it(
    scene: Scene, bank: At, names: Iterator[bytes]
) -> None:
    event = bank.restart(restart(next(names)))
    for desk in (scene.police, scene.operator):
        page = scene.world.services.trail.search(
            scene.actor(desk), parse_wanted({}), limit=200, now=scene.world.clock()
        )
        assert event not in [row.number for row in page.rows]
