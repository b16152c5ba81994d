"""People at the hub: a session lasts no longer than the password that began it."""

import re

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from tests.support.hub_world import HOST, Desk, World

from accord.hub.access import Role
from accord.hub.people.tables import PersonRow


def browser(world: World, login: str, password: str) -> httpx2.Client:
    """Return a browser whose person has signed in."""
    client = httpx2.Client(transport=httpx2.WSGITransport(app=world.app), base_url=f"http://{HOST}")
    form = client.get("/sign-in").text
    found = re.search(r'name="([a-z_]+)" value="([A-Za-z0-9_-]{20,})"', form)
    assert found is not None
    fields = {found.group(1): found.group(2), "login": login, "password": password}
    assert client.post("/sign-in", data=fields).status_code == 303
    return client


def change_password(world: World, login: str) -> None:
    """Put another password's hash in the place of the person's."""
    hashed = PasswordHasher().hash("another password")
    query = update(PersonRow).where(PersonRow.login == login).values(password=hashed)
    world.services.writer.run(lambda connection: connection.execute(query))


def test_a_new_password_ends_the_sessions_of_that_person_alone(world: World, police: Desk) -> None:
    people = world.services.people
    passwords = {
        login: people.add(login, org=police.org, role=Role.VIEWER, now=world.clock())
        for login in ("ana", "ben")
    }
    ana, ben = (browser(world, login, password) for login, password in passwords.items())
    assert [one.get("/log").status_code for one in (ana, ben)] == [200, 200]
    change_password(world, "ana")
    assert [one.get("/log").status_code for one in (ana, ben)] == [401, 200]
    for one in (ana, ben):
        one.close()


@pytest.mark.parametrize("account", ["", "1", "1:", "1:0123456789abcdef", "x:0", "\u0661:0", "-1"])
def test_an_id_without_the_present_password_is_nobody(
    world: World, police: Desk, account: str
) -> None:
    people = world.services.people
    password = people.add("ana", org=police.org, role=Role.VIEWER, now=world.clock())
    known = people.sign_in("ana", password, now=world.clock())
    assert people.find(known.account) == known
    assert people.find(account) is None
    change_password(world, "ana")
    assert people.find(known.account) is None
