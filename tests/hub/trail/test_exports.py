"""Files of events: each form holds offline, and one changed byte of what it shows is noticed."""

import csv
import io
import json

import pytest
from tests.hub.trail.conftest import Scene

from accord.hub.audit import EventClass
from accord.hub.trail import Wanted, parse_wanted
from accord.hub.trail import service as trail_service
from accord.kernel.errors import AccordError, Malformed, Refused
from accord.kernel.tlog.ocsf import CLASSES
from accord.kernel.tlog.trailfile import Form, form_of, verify_trail


def export(scene: Scene, form: Form, desk: str = "bank", **parts: str) -> bytes:
    _, pieces = scene.world.services.trail.export(
        scene.actor(getattr(scene, desk)),
        parse_wanted(parts),
        form,
        reason="quarterly review",
        now=scene.world.clock(),
    )
    return b"".join(pieces)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("desk", ["bank", "ombudsman"])
def test_a_file_holds_offline(scene: Scene, form: Form, desk: str) -> None:
    data = export(scene, form, desk)
    assert form_of(data) is form
    trail = verify_trail(data, scene.policy)
    assert trail.title.count == len(trail.lines) > 5
    numbers = [line.number for line in trail.lines]
    assert numbers == sorted(numbers)
    names = {line.record.opened().get("person") for line in trail.lines}
    assert ("piet" in names) == (desk == "bank")


@pytest.mark.parametrize("form", list(Form))
def test_what_a_line_shows_cannot_differ_from_what_was_logged(scene: Scene, form: Form) -> None:
    """Each byte of each line but of the title's own claims, one after the other."""
    data = export(scene, form, what="role.changed")
    whole = verify_trail(data, scene.policy)
    claims = {b"what=role.changed", whole.title.reader.encode(), str(whole.title.made).encode()}
    free = {
        place
        for claim in claims
        for at in range(len(data))
        if data.startswith(claim, at)
        for place in range(at, at + len(claim))
    }
    changed = [place for place in range(0, len(data), 37) if place not in free]
    assert len(changed) > 100
    for place in changed:
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            found = verify_trail(flipped, scene.policy)
        except AccordError:
            continue
        assert found.lines == whole.lines, place
        assert found.checkpoint == whole.checkpoint


@pytest.mark.parametrize("form", list(Form))
def test_a_line_that_is_missing_moved_or_added_is_noticed(scene: Scene, form: Form) -> None:
    lines = export(scene, form).splitlines(keepends=True)
    for shown in (lines[:-1], [*lines[:-2], lines[-1], lines[-2]], [*lines, lines[-1]]):
        with pytest.raises(AccordError):
            verify_trail(b"".join(shown), scene.policy)


def test_another_hubs_policy_does_not_hold(scene: Scene) -> None:
    other = scene.world.root.log_policy(trail_service.LogName.DIRECTORY)
    with pytest.raises(AccordError):
        verify_trail(export(scene, Form.JSONL), other)


def test_an_empty_export_says_so_and_holds(scene: Scene) -> None:
    data = export(scene, Form.JSONL, until="2020-01-01")
    assert verify_trail(data, scene.policy).lines == ()
    with pytest.raises(Malformed):
        verify_trail(export(scene, Form.CSV, until="2020-01-01"), scene.policy)


def test_a_cell_of_the_csv_is_no_formula(scene: Scene) -> None:
    data = export(scene, Form.CSV, what="role.changed")
    [row] = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""))
    assert row["basis"] == '\'=HYPERLINK("http://evil.test")'
    assert row["about"] == "piet"


def test_each_line_of_ocsf_is_an_event_with_what_its_class_requires(scene: Scene) -> None:
    required = {
        3001: {"user"},
        3002: {"user", "service"},
        3004: {"entity"},
        6001: {"web_resources"},
        6003: {"actor", "api", "src_endpoint"},
    }
    always = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time"}
    for raw in export(scene, Form.OCSF, "ombudsman").splitlines():
        event = json.loads(raw)
        assert (always | {"type_uid"} | required[event["class_uid"]]) <= set(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000


def test_every_event_of_the_list_has_a_class_of_ocsf() -> None:
    assert set(CLASSES) == {one.value for one in EventClass}


@pytest.mark.parametrize("reason", ["", "  x ", "y" * 501])
def test_an_export_needs_a_reason(scene: Scene, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        scene.world.services.trail.export(
            scene.actor(scene.bank), Wanted(), Form.CSV, reason=reason, now=scene.world.clock()
        )
    assert caught.value.code == "reason_invalid"


def test_an_oversized_export_is_refused_before_it_begins(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_service, "MAX_EXPORT", 3)
    with pytest.raises(Refused) as caught:
        export(scene, Form.CSV)
    assert caught.value.code == "audit_export_too_large"


def test_an_export_is_one_event_with_form_count_and_reason(scene: Scene) -> None:
    export(scene, Form.CSV, what="role.changed")
    page = scene.world.services.trail.search(
        scene.actor(scene.bank), parse_wanted({"what": "audit.exported"}), now=scene.world.clock()
    )
    fields = page.rows[0].fields
    assert fields["detail"] == "form=csv n=1 what=role.changed"
    assert fields["basis"] == "quarterly review"
