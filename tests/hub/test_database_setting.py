"""The setting that names a PostgreSQL database: strict, and never with a password."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.hub.config import load_config, new_config, parse_config, parse_database
from accord.kernel.errors import AccordError, Malformed, Refused


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://accord@db.example/hub",
        "postgresql://accord@a.example:5432,b.example:5433/hub?target_session_attrs=read-write",
        "postgresql://accord@%2Frun%2Fpostgresql/hub",
        "postgresql://accord@db.example/hub?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://db.example/hub?passfile=/etc/accord/database.pass",
    ],
)
def test_an_address_is_taken_as_it_stands(address: str, tmp_path: Path) -> None:
    assert parse_database(address) == address
    new_config(tmp_path, origin="hub.test", host="127.0.0.1", port=8600, database=address)
    assert load_config(tmp_path).place == address


@pytest.mark.parametrize(
    "address",
    ["postgresql://accord:secret@db.example/hub", "postgresql://db/hub?password=secret"],
)
def test_a_password_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_database(address)
    assert caught.value.code == "database_password"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///hub.db",
        "postgres://db.example/hub",
        "postgresql+psycopg://db.example/hub",
        "postgresql:///hub",
        "postgresql://db.example",
        "postgresql://db.example/a/b",
        "postgresql://db.example/hub?options=-csynchronous_commit=off",
        "postgresql://db.example/hub?sslmode=disable&sslmode=require",
        "postgresql://db.example/hub#x",
        'postgresql://db.example/hub" evil = "1',
        "postgresql://db.example/hüb",
        "host=db.example dbname=hub",
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_database(address)
    assert caught.value.code == "setting_invalid"


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    for address in (text, f"postgresql://{text}"):
        try:
            assert parse_database(address) == address
        except AccordError as error:
            assert error.code in {"setting_invalid", "database_password"}  # noqa: PT017


def test_homes_of_the_first_release_have_the_file(tmp_path: Path) -> None:
    config = new_config(tmp_path, origin="hub.test", host="127.0.0.1", port=8600)
    text = (tmp_path / "hub.toml").read_text().replace('database = ""\n', "")
    assert parse_config(tmp_path, text) == config
    assert config.place == tmp_path / "hub.db"
