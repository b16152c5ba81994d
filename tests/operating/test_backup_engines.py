"""One form of backup for both engines: whichever it came from, it restores to either."""

from pathlib import Path

import pytest
from tests.support import postgres
from tests.support.saved_hub import Saved, codes

from accord.findings import worst
from accord.hub.cli.checks import examine_content
from accord.hub.config import load_config
from accord.kernel.errors import Conflict
from accord.kernel.markings import OrgKind


def test_a_hub_on_postgresql_is_saved_restored_and_moved_between_engines(
    engine: str, tmp_path: Path
) -> None:
    """Whichever engine it came from, the backup is one; the restored hub goes on counting."""
    saved = Saved(tmp_path)
    world = saved.world
    fresh = postgres.shared_server().address if engine == "postgresql" else None
    address = "" if fresh is None else fresh(postgres.shared_server().make_database())
    done = saved.restore(tmp_path / "same", database=address)
    assert done.restored, codes(done)
    config = load_config(tmp_path / "same")
    assert config.database == address
    assert config.database_file.exists() == (not address)
    services = world.open_services(config)
    try:
        services.enrolments.invite("one-more", OrgKind.NGO, now=world.clock())
        assert worst(examine_content(services)) is None
    finally:
        services.close()
    if address:
        with pytest.raises(Conflict) as caught:
            saved.restore(tmp_path / "again", database=address)
        assert caught.value.code == "database_in_use"
    moved = saved.restore(tmp_path / "moved", database="")
    assert moved.restored, codes(moved)
    assert load_config(tmp_path / "moved").database == ""
    world.close()
