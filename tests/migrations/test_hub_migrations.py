"""The revisions make exactly the tables of this release, up and down, with data in them."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from tests.support.hub_world import Places, World
from tests.support.postgres import empty_database

from accord.hub.feed import Item, add_notices
from accord.hub.storage import Base, open_database
from accord.hub.storage.engine import prepare_tables
from accord.hub.storage.migrations import HEAD, configuration, revision_of, upgrade
from accord.kernel.errors import Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind
from accord.kernel.tlog.heads import OwnEvent, extend_head, start_of
from accord.kernel.tlog.leaf import RecordFields, format_record


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection)
    return list(compare_metadata(context, Base.metadata))


def test_the_revisions_make_the_tables_of_this_release(engine: str) -> None:
    with empty_database(engine) as connection:
        upgrade(connection)
        assert revision_of(connection) == HEAD
        assert differences(connection) == []


@pytest.mark.usefixtures("engine")
def test_a_new_database_is_stamped_and_opens_again(tmp_path: Path) -> None:
    place = Places.empty(tmp_path / "hub.db")
    for _ in range(2):
        database = open_database(place)
        with database.reading.connect() as connection:
            assert revision_of(connection) == HEAD
            assert differences(connection) == []
        database.close()


def test_every_revision_goes_down_and_up_again(engine: str) -> None:
    with empty_database(engine) as connection:
        upgrade(connection)
        command.downgrade(configuration(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        upgrade(connection)
        assert differences(connection) == []


@pytest.mark.usefixtures("engine")
def test_a_database_of_a_later_release_is_not_opened(tmp_path: Path) -> None:
    place = Places.empty(tmp_path / "hub.db")
    database = open_database(place)
    with database.writing.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(Refused) as caught:
        open_database(place)
    assert caught.value.code == "database_newer"
    assert "9999" in str(caught.value.observed)


@pytest.mark.usefixtures("engine")
def test_a_hub_with_data_opens_at_head(tmp_path: Path) -> None:
    world = World(tmp_path)
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    police = world.enrol("police", OrgKind.LAW_ENFORCEMENT)
    bundle_id, bundle = bank.seal(police)
    assert bank.put_bundle(bundle, bundle_id).status_code == 202
    world.services.close()
    again = world.open_services()
    assert again.feed.newest() == 1
    again.close()
    world.client.close()
    world.witness_database.close()


def test_a_folder_of_any_name_holds_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "a?b#c%41"
    folder.mkdir()
    open_database(folder / "hub.db").close()
    assert (folder / "hub.db").stat().st_size > 0


def test_acknowledgements_kept_twice_are_kept_once_after_the_third_revision(engine: str) -> None:
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), "0002")
        for statement in (b"one", b"one", b"two"):
            connection.execute(
                text(
                    "INSERT INTO acknowledgements (sender, recipient, at, statement)"
                    " VALUES ('bank@hub', 'police@hub', 1, :statement)"
                ),
                {"statement": statement},
            )
        upgrade(connection)
        rows = connection.execute(text("SELECT seq, statement FROM acknowledgements")).all()
        assert [tuple(row) for row in rows] == [(1, b"one"), (3, b"two")]
        if engine == "sqlite":
            made = connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = 'acknowledgements'")
            )
            assert "AUTOINCREMENT" in str(made)
        command.downgrade(configuration(connection), "0002")
        assert connection.scalar(text("SELECT count(*) FROM acknowledgements")) == 2


def test_feed_items_get_the_name_of_their_bundle_and_notices_go_on_the_way_down(
    engine: str,
) -> None:
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), "0003")
        connection.execute(
            text(
                "INSERT INTO bundles (number, org, bundle_id, digest, manifest, kind, accepted,"
                " expires, audit_number, directory_size, state, header, dsse, leaves, body_length)"
                " VALUES (5, 'bank@hub', 'some-id', :some, :some, 'request', 1, 2, 3, 4, 'active',"
                " :some, :some, :some, 0)"
            ),
            {"some": b"some"},
        )
        connection.execute(
            text(
                "INSERT INTO feed_items (seq, org, item, bundle, at)"
                " VALUES (8, 'police@hub', 'delivered', 5, 1)"
            )
        )
        if engine == "postgresql":  # its sequence has not seen the number that was given
            connection.execute(text("SELECT setval('feed_items_seq_seq', 8)"))
        upgrade(connection)
        add_notices(connection, [OrgId("police@hub")], Item.KEY_CHANGED, subject="bank@hub", now=2)
        rows = connection.execute(
            text("SELECT seq, bundle_id, sender, kind, subject FROM feed_items ORDER BY seq")
        ).all()
        assert [tuple(row) for row in rows] == [
            (8, "some-id", "bank@hub", "request", None),
            (9, None, None, None, "bank@hub"),
        ]
        command.downgrade(configuration(connection), "0003")
        assert connection.scalars(text("SELECT seq FROM feed_items")).all() == [8]
        connection.execute(text("DELETE FROM feed_items"))
        connection.execute(
            text("INSERT INTO feed_items (org, item, bundle, at) VALUES ('a', 'b', 5, 1)")
        )
        assert connection.scalars(text("SELECT seq FROM feed_items")).all() != [8]


def test_events_are_found_by_what_they_say_after_the_fifth_revision(engine: str) -> None:
    org = "bank@hub.test"
    records = [
        RecordFields.fresh(
            {
                "what": "sign-in.ok",
                "org": org,
                "person": "anna",
                "outcome": "ok",
                "member.0": f"{org} {seq}",
            }
        )
        for seq in (1, 2)
    ]
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), "0004")
        for number, record in enumerate(records):
            connection.execute(
                text("INSERT INTO audit_events VALUES (:number, :entry, 5, 'sign-in.ok', :opened)"),
                {"number": number, "entry": record.entry_id, "opened": format_record(record)},
            )
            connection.execute(
                text("INSERT INTO log_entries VALUES ('audit', :number, :entry)"),
                {"number": number, "entry": record.leaf()},
            )
            connection.execute(
                text("INSERT INTO audit_orgs VALUES (:org, :seq, :number)"),
                {"org": org, "seq": number + 1, "number": number},
            )
        connection.execute(text("INSERT INTO audit_sequences VALUES (:org, 2)"), {"org": org})
        command.upgrade(configuration(connection), "0005")
        found = connection.execute(
            text("SELECT number, org, person, about, subject, outcome FROM audit_events")
        ).all()
        assert [tuple(row) for row in found] == [
            (0, org, "anna", "", "", "ok"),
            (1, org, "anna", "", "", "ok"),
        ]
        head = extend_head(
            start_of(OrgId(org)),
            [OwnEvent(number=number, record=record) for number, record in enumerate(records)],
        )
        assert connection.scalar(text("SELECT chain FROM audit_sequences")) == head.chain
        assert connection.scalars(text("SELECT what FROM audit_orgs")).all() == ["sign-in.ok"] * 2
        command.downgrade(configuration(connection), "0004")
        assert connection.scalar(text("SELECT count(*) FROM audit_events")) == 2


@pytest.mark.parametrize("how", ["made", "migrated"])
def test_sealed_bytes_are_not_compressed_in_vain(engine: str, how: str) -> None:
    if engine != "postgresql":
        pytest.skip("SQLite compresses nothing")
    with empty_database(engine) as connection:
        prepare_tables(connection) if how == "made" else upgrade(connection)
        found = connection.scalar(
            text(
                "SELECT attstorage::text FROM pg_attribute"
                " WHERE attrelid = 'bundles'::regclass AND attname = 'body'"
            )
        )
    assert found == "e"


@pytest.mark.usefixtures("engine")
def test_what_was_expired_stays_so_and_the_sealed_bytes_of_all_are_kept(tmp_path: Path) -> None:
    place = Places.empty(tmp_path / "hub.db")
    database = open_database(place)
    with database.writing.begin() as connection:
        command.downgrade(configuration(connection), "0009")
        for number, state in enumerate(("active", "expired", "retracted"), start=1):
            connection.execute(
                text(
                    "INSERT INTO bundles (number, org, bundle_id, digest, manifest, kind, accepted,"
                    " expires, audit_number, directory_size, state, header, dsse, leaves, body,"
                    " body_length) VALUES (:number, 'bank@hub', :id, :b, :b, 'list', 1, 20,"
                    " 3, 4, :state, :b, :b, :b, :body, 1)"
                ),
                {
                    "number": number,
                    "id": f"id-{number}",
                    "state": state,
                    "b": b"\0",
                    "body": b"\7",
                },
            )
            connection.execute(
                text("INSERT INTO bundle_entries VALUES (:number, 0, 'police@hub', :b, NULL)"),
                {"number": number, "b": b"\1"},
            )
            connection.execute(
                text(
                    "INSERT INTO feed_items (org, item, bundle, at)"
                    " VALUES ('police@hub', :item, :number, 5)"
                ),
                {"number": number, "item": state},
            )
    database.close()
    database = open_database(place)
    with database.writing.begin() as connection:
        rows = connection.execute(
            text("SELECT number, expired, erased, body FROM bundles ORDER BY number")
        ).all()
        assert [tuple(row) for row in rows] == [
            (1, None, None, b"\x07"),
            (2, 20, None, b"\x07"),
            (3, None, None, b"\x07"),
        ]
        command.downgrade(configuration(connection), "0009")
        states = connection.scalars(text("SELECT state FROM bundles ORDER BY number")).all()
        assert states == ["active", "expired", "retracted"]
    database.close()


def test_accounts_that_were_there_get_a_handle_and_those_without_password_go_on_the_way_down(
    engine: str,
) -> None:
    with empty_database(engine) as connection:
        command.upgrade(configuration(connection), "0010")
        for login in ("anna", "ben"):
            connection.execute(
                text(
                    "INSERT INTO people (login, org, role, password, created)"
                    " VALUES (:login, 'bank@hub', 'viewer', 'x', 1)"
                ),
                {"login": login},
            )
        upgrade(connection)
        handles = connection.scalars(text("SELECT handle FROM people")).all()
        assert len(set(handles)) == 2
        assert all(len(handle) == 16 for handle in handles)
        connection.execute(text("UPDATE people SET password = NULL WHERE login = 'ben'"))
        command.downgrade(configuration(connection), "0010")
        assert connection.scalars(text("SELECT login FROM people")).all() == ["anna"]
