"""The page of settings is made from the source; `check-config` reads them as a start would."""

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.make_settings_page import PAGE, meanings, page

from accord.cli.main import main
from accord.hub.config import HubConfig, new_config


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    assert {one.name for one in dataclasses.fields(HubConfig)} == set(meanings())


@pytest.fixture
def config(tmp_path: Path) -> HubConfig:
    return new_config(tmp_path / "hub", origin="hub.test", host="127.0.0.1", port=8600)


def test_check_config_shows_each_setting(config: HubConfig) -> None:
    done = CliRunner().invoke(main, ["hub", "check-config", "--json", "--home", str(config.home)])
    assert done.exit_code == 0
    settings = json.loads(done.stdout)["settings"]
    assert settings == config.settings()
    assert settings["origin"] == "hub.test"
    assert "home" not in settings


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("port = 8600", 'port = "x"', "setting_invalid"),
        ("port = 8600", "port = 8600\nspeed = 1", "setting_unknown"),
        ("port = 8600", "port = ", "setting_invalid"),
    ],
)
def test_check_config_names_the_setting_that_does_not_hold(
    config: HubConfig, old: str, new: str, code: str
) -> None:
    file = config.home / "hub.toml"
    file.write_text(file.read_text().replace(old, new))
    done = CliRunner().invoke(main, ["hub", "check-config", "--json", "--home", str(config.home)])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, code)
