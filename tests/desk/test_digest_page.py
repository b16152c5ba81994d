"""The page of the digest says what the mail says, and nothing of what lies in the vault."""

import dataclasses
import html
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tests.desk.conftest import NOW
from tests.desk.test_digest import DAY, OWN, WORDS, fill
from tests.desk.test_pages import (  # noqa: F401 - fixtures
    BASE,
    PORT,
    analyst,
    app,
    desk,
    post,
    visitor,
)

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.exchange.digest import digest
from accord.desk.exchange.digest_text import digest_lines, digest_text
from accord.desk.keyring.people import People


@pytest.fixture
def reader(desk: Desk, tmp_path: Path) -> FlaskClient:  # noqa: F811
    """Somebody who has signed in at an enrolled desk with a canary in every place for words."""
    config = dataclasses.replace(desk.config, org=OWN)
    enrolled = dataclasses.replace(desk, config=config)
    fill(desk.vault, tmp_path)
    served = make_pages(enrolled, secret_key=bytes(32), instance="0a0b0c0d", port=PORT)
    person = served.test_client()
    password = People(desk.vault).set_password("ana", by="root", now=0)
    assert post(person, "/sign-in", login="ana", password=password).status_code == 303
    return person


@pytest.mark.parametrize(("asked", "ago"), [("", DAY), ("?since=7d", 7 * DAY)])
def test_the_page_says_what_the_command_prints(
    reader: FlaskClient,
    desk: Desk,  # noqa: F811
    asked: str,
    ago: int,
) -> None:
    answer = reader.get(f"/digest{asked}", base_url=BASE)
    page = html.unescape(answer.get_data(as_text=True))
    found = digest(desk.vault, OWN, since=NOW - ago, now=NOW)
    assert answer.status_code == 200
    assert digest_text(found) in page
    for what, counts in digest_lines(found):
        assert f"<dt>{what}</dt><dd>{counts}</dd>" in page
    assert not [word for word in WORDS if word in page.replace("canary-own", "")]


def test_the_mail_does_not_even_name_the_organisation(reader: FlaskClient) -> None:
    page = reader.get("/digest", base_url=BASE).get_data(as_text=True)
    mail = page.partition('id="mail">')[2].partition("</div>")[0]
    assert mail.startswith("Accord desk, ")
    assert "@" not in mail


@pytest.mark.parametrize("asked", ["2030-01-01", "x", "<b>", "0h"])
def test_what_is_no_time_that_has_passed_is_said_beside_the_field(
    reader: FlaskClient, asked: str
) -> None:
    answer = reader.get("/digest", query_string={"since": asked}, base_url=BASE)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "since_unreadable" in page
    assert "<b>" not in page
    assert f'value="{html.escape(asked)}"' in page


def test_before_enrolment_there_is_nothing_to_count(analyst: FlaskClient) -> None:  # noqa: F811
    answer = analyst.get("/digest", base_url=BASE)
    assert answer.status_code == 200
    assert "Not enrolled yet" in answer.get_data(as_text=True)
