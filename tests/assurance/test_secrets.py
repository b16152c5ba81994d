"""Secrets of the hub and its people stand nowhere but where they are kept wrapped."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.support.hub_people import PASSWORD, make_person
from tests.support.hub_world import World

from accord.hub.access import Role
from accord.hub.backups import ArchiveReader
from accord.hub.cli.doctor import examine_hub
from accord.kernel.encoding import b64encode
from accord.kernel.markings import OrgKind
from accord.keyfile import save_keys

KEYS_PASSPHRASE = f"passphrase-{secrets.token_hex(12)}"
BACKUP_PASSPHRASE = f"backup-{secrets.token_hex(12)}"


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, bytes], list[bytes]]]:
    """What the hub wrote and answered, and the secrets that must not stand in it."""
    folder, log = tmp_path_factory.mktemp("secrets"), io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=log))
    world = World(folder)
    keys, hidden = {}, [KEYS_PASSPHRASE.encode(), BACKUP_PASSPHRASE.encode(), PASSWORD.encode()]
    for name, pair in world.log_keys.items():
        for part, seed in (("ed25519", pair.ed25519_seed), ("mldsa44", pair.mldsa44_seed)):
            keys[f"{name}.{part}"] = seed
            hidden += [seed, seed.hex().encode(), b64encode(seed).encode()]
    save_keys(world.config.keys, keys, KEYS_PASSPHRASE.encode())
    world.config.root.write_bytes(world.root_bytes)
    bank = world.enrol("first-bank", OrgKind.FINANCIAL)
    person = make_person(world, "ana", bank.org, Role.ADMINISTRATOR)
    assert person.secret is not None
    browser = person.browser()
    hidden += [cookie.value.encode() for cookie in browser.cookies.jar if cookie.value]
    browser.get("/account")
    browser.fill("/sign-in", page="/sign-in", login="ana", password=f"x{PASSWORD}")
    _, invite = world.services.enrolments.invite("later", OrgKind.NGO, now=world.clock())
    hidden.append(invite.encode())
    found = {path: world.client.get(path).content for path in ("/metrics", "/v1/hub", "/readyz")}
    findings = examine_hub(world.config, clock=world.clock)
    found["doctor"] = "\n".join(line for one in findings for line in one.lines()).encode()
    file = Path(folder) / "backup"
    world.services.backups.make(file, BACKUP_PASSPHRASE.encode(), now=world.clock())
    with file.open("rb") as source:
        found["opened backup"] = ArchiveReader(source, BACKUP_PASSPHRASE.encode()).read()
    structlog.reset_defaults()
    found["log"] = log.getvalue().encode()
    assert b"request" in found["log"]
    yield found | dict(world.files()), hidden
    world.close()


def test_no_secret_stands_in_files_logs_metrics_answers_or_backups(
    told: tuple[dict[str, bytes], list[bytes]],
) -> None:
    found, hidden = told
    assert {"opened backup", "log", "doctor", "hub/hub.db", "/metrics"} <= set(found)
    assert len(hidden) > 12
    places = [place for place, data in found.items() for one in hidden if one in data]
    assert places == []


def test_the_search_would_find_one(told: tuple[dict[str, bytes], list[bytes]]) -> None:
    found, _ = told
    assert b"first-bank@hub.test" in found["opened backup"], "the backup was opened and read"
    assert any(b"first-bank@hub.test" in data for place, data in found.items() if "hub.db" in place)
