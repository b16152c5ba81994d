"""The charter at the hub: its page for members, its versions in the log, and who is granted what."""

import re
from html import unescape
from pathlib import Path

import pytest
from tests.support.hub_people import make_person
from tests.support.hub_world import World

from accord.hub.transparency import LogName
from accord.kernel.directory.entries import CharterPoint, parse_entry
from accord.kernel.errors import NotFound, VerificationFailed
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind
from accord.kernel.policy.charter import sign_charter
from accord.kernel.policy.default_charter import DEFAULT_CHARTER

SECOND = DEFAULT_CHARTER.replace("version = 1", "version = 2").replace(
    "retention_days = 730", "retention_days = 90"
)


def publish(world: World, text: str) -> None:
    world.services.directory.publish_charter(
        sign_charter(text.encode(), [world.registrar]), now=world.clock()
    )


def page_of(world: World, name: str, kind: OrgKind, path: str) -> tuple[int, str]:
    desk = world.enrol(name, kind)
    client = make_person(world, name, desk.org).browser()
    answer = client.get(path)
    client.close()
    return answer.status_code, answer.text


def test_members_read_every_rule_and_grant_in_words_by_number(world: World) -> None:
    publish(world, SECOND)
    status, page = page_of(world, "nora", OrgKind.NGO, "/charter")
    assert status == 200
    text = unescape(re.sub(r"<[^>]+>|\s+", " ", page))
    charter = world.services.directory.charter()
    for number, rule in enumerate(charter.rules, start=1):
        assert f"Rule {number}" in text
        assert rule.name in text
        assert rule.words in text
    for number, grant in enumerate(charter.grants, start=1):
        assert f"Grant {number}" in text
        assert grant.words in text
    assert "amber+strict" in text
    assert " 90 " in text
    assert " 730 " not in text
    assert world.client.get("/charter").status_code == 401


def test_published_versions_stand_in_the_directory_log_and_can_be_read_again(world: World) -> None:
    publish(world, SECOND)
    directory = world.services.directory
    first, second = directory.charters()
    assert (first.point.version, second.point.version) == (1, 2)
    (leaf,) = world.services.reader.entries(LogName.DIRECTORY, second.index, 1)
    point = parse_entry(leaf)
    assert isinstance(point, CharterPoint)
    assert point.sha256 == directory.charter().sha256
    assert directory.charter_at(1).rules[4].retention_days == 730
    assert directory.charter_at(2).rules[4].retention_days == 90
    with pytest.raises(NotFound, match="charter_unknown"):
        directory.charter_at(3)


def test_a_charter_that_others_signed_or_that_goes_back_is_not_published(world: World) -> None:
    stranger = sign_charter(SECOND.encode(), [SigningKeyPair.generate()])
    with pytest.raises(VerificationFailed):
        world.services.directory.publish_charter(stranger, now=world.clock())
    publish(world, SECOND)
    with pytest.raises(VerificationFailed, match="charter_order"):
        publish(world, DEFAULT_CHARTER)
    assert world.services.directory.charter().version == 2


@pytest.mark.parametrize(("path", "grant"), [("/log", "log:view"), ("/charter", "charter:view")])
def test_a_page_needs_the_charters_grant(tmp_path: Path, path: str, grant: str) -> None:
    world = World(tmp_path, charter=re.sub(rf' *"{grant}",?\n', "", DEFAULT_CHARTER))
    status, page = page_of(world, "nora", OrgKind.NGO, path)
    assert status == 403
    assert "charter_action" in page
    world.close()
