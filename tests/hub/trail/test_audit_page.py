"""The auditor's page: signed in as people are, filtered, paged, with files that hold offline."""

import re

import httpx2
import pytest
from tests.hub.trail.conftest import Scene
from tests.support.hub_people import make_person
from tests.support.hub_world import Desk

from accord.hub.access import Role
from accord.kernel.tlog.trailfile import verify_trail


@pytest.fixture(scope="module")
def auditor(scene: Scene) -> httpx2.Client:
    return signed_in(scene, scene.bank, "auditor-1", Role.AUDITOR)


def signed_in(scene: Scene, desk: Desk, login: str, role: Role) -> httpx2.Client:
    return make_person(scene.world, login, desk.org, role).browser()


def test_the_page_shows_events_and_leads_to_their_proofs(auditor: httpx2.Client) -> None:
    page = auditor.get("/audit", params={"what": "role.changed"})
    assert page.status_code == 200
    assert "piet" in page.text
    link = re.search(r'href="(/audit/[0-9]+\.tlog-proof)"', page.text)
    assert link is not None
    proof = auditor.get(link[1])
    assert proof.content.startswith(b"c2sp.org/tlog-proof@v1\n")
    assert "http-equiv" not in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("form", ["csv", "jsonl", "ocsf"])
def test_a_downloaded_file_holds(scene: Scene, auditor: httpx2.Client, form: str) -> None:
    query = {"form": form, "reason": "yearly review", "outcome": "ok"}
    answer = auditor.get("/audit/download", params=query)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert verify_trail(answer.content, scene.policy).lines


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/audit?what=made.up", "audit_filter_invalid"),
        ("/audit?seen=a&seen=b", "audit_filter_invalid"),
        ("/audit?sideways=1", "audit_filter_invalid"),
        ("/audit?after=zzz", "cursor_invalid"),
        ("/audit/download?form=pdf&reason=because", "audit_filter_invalid"),
        ("/audit/download?form=csv", "reason_invalid"),
        ("/audit/x.tlog-proof", "audit_filter_invalid"),
        ("/audit/999999999.tlog-proof", "not_found"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_code(
    auditor: httpx2.Client, path: str, code: str
) -> None:
    answer = auditor.get(path, headers={"Accept": "application/json"})
    assert answer.status_code in {400, 404}
    assert answer.json()["code"] == code


def test_an_analyst_and_a_stranger_see_nothing(scene: Scene) -> None:
    analyst = signed_in(scene, scene.bank, "analyst-1", Role.ANALYST)
    for path in ("/audit", "/audit/download?form=csv&reason=because", "/audit/1.tlog-proof"):
        assert analyst.get(path).status_code == 403
        stranger = scene.world.client.get(path, headers={"Accept": "text/html"})
        assert stranger.status_code in {303, 401}
        assert "role.changed" not in stranger.text
