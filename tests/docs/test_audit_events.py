"""The page of audit events is what the closed lists say."""

from tests.support.make_events_page import PAGE, page

from accord.desk.storage.journal import ACTS, Act
from accord.hub.audit.events import MEANINGS, EventClass


def test_the_page_is_the_lists() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python -m tests.support.make_events_page"
    )


def test_every_event_and_act_has_a_sentence() -> None:
    assert set(MEANINGS) == set(EventClass)
    assert set(ACTS) == set(Act)
