"""A desk's settings: one file ``desk.toml`` in its directory, read once, unknown names refused.

What an attacker who can change it gains: ``hub`` chooses which server is asked (its answers are
still checked against the root file), ``listen`` may show the pages to the network, a shorter
``retention_days`` deletes expired plaintext earlier, without ``four_eyes`` one person sends alone.
The environment is read by ``accord.config``.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from accord.kernel.errors import Conflict, Malformed, NotFound
from accord.kernel.identifiers import OrgId, parse_org_id

FILE = "desk.toml"
KEYS_FILE = "keys.accord"
RECOVERY_FILE = "recovery.accord"
VAULT_FILE = "vault.db"
ROOT_FILE = "root.json"

DEFAULT_PORT = 8801
DEFAULT_RETENTION_DAYS = 30

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,260}/?")
_MAX_FILE = 64 * 1024
_LOCAL = ("localhost", "127.0.0.1", "::1")
_MAX_PORT = 65_535
_MAX_RETENTION = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConfig:
    """What a desk is told once.

    Attributes:
        home: the desk's directory.
        org: the organisation's id; empty until it is enrolled.
        hub: the hub's address, ``https://…`` (``http://`` on this computer only).
        port: port of the pages on loopback; 0 takes any free one.
        retention_days: days that plaintext is kept after a bundle's ``expires``.
        four_eyes: nothing but a recall goes before a second person approved, in any case.
    """

    home: Path
    hub: str
    org: OrgId | None = None
    port: int = DEFAULT_PORT
    retention_days: int = DEFAULT_RETENTION_DAYS
    four_eyes: bool = False

    @property
    def file(self) -> Path:
        """The settings themselves."""
        return self.home / FILE

    @property
    def keys_file(self) -> Path:
        """The wrapped private keys."""
        return self.home / KEYS_FILE

    @property
    def recovery_file(self) -> Path:
        """The wrapped recovery key, to be taken off this computer."""
        return self.home / RECOVERY_FILE

    @property
    def recovery_files(self) -> tuple[Path, ...]:
        """The recovery keys that still lie on this computer; a recovery makes another one."""
        stem, _, kind = RECOVERY_FILE.partition(".")
        return tuple(sorted(self.home.glob(f"{stem}*.{kind}")))

    @property
    def vault_file(self) -> Path:
        """The encrypted vault."""
        return self.home / VAULT_FILE

    @property
    def root_file(self) -> Path:
        """The pinned root file of the hub."""
        return self.home / ROOT_FILE


def parse_hub_url(text: str) -> str:
    """Return ``text`` as a hub's address without a trailing slash.

    Raises:
        Malformed: ``hub_url_invalid``; plain http is for this computer only, and nothing but host
            and port has a meaning.
    """
    if not _sound_url(text):
        raise Malformed(
            "hub_url_invalid",
            "A hub's address is https:// with host and port (http:// only on this computer).",
            observed=text[:120],
        )
    return text.rstrip("/")


def _sound_url(text: str) -> bool:
    if _URL.fullmatch(text) is None:
        return False
    try:
        parts = urlsplit(text)
        local = parts.hostname in _LOCAL
        in_range = parts.port is None or 0 < parts.port <= _MAX_PORT
    except ValueError:
        return False
    return bool(parts.hostname) and in_range and (parts.scheme == "https" or local)


def write_config(config: DeskConfig, *, replace: bool = False) -> None:
    """Write ``desk.toml``.

    Raises:
        Conflict: ``desk_exists`` when it is there and ``replace`` is not asked for.
    """
    path = config.home / FILE
    if path.exists() and not replace:
        raise Conflict(
            "desk_exists",
            "There is a desk in this directory already.",
            observed=str(config.home),
            next_step="Choose another --home.",
        )
    lines = [f'hub = "{config.hub}"']
    if config.org is not None:
        lines.append(f'org = "{config.org}"')
    lines.append(f"port = {config.port}")
    lines.append(f"retention_days = {config.retention_days}")
    if config.four_eyes:
        lines.append("four_eyes = true")
    config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.replace(path)


def read_config(home: Path) -> DeskConfig:
    """Read ``desk.toml`` strictly.

    Raises:
        NotFound: ``desk_missing``.
        Malformed: ``config_invalid`` naming the setting.
    """
    path = home / FILE
    if not path.is_file():
        raise NotFound(
            "desk_missing",
            "There is no desk in this directory.",
            observed=str(home),
            next_step="Run accord desk init --hub URL, or give --home.",
        )
    try:
        found = tomllib.loads(path.read_bytes()[:_MAX_FILE].decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed("config_invalid", "desk.toml is not valid TOML.") from error
    unknown = sorted(set(found) - {"hub", "org", "port", "retention_days", "four_eyes"})
    if unknown:
        raise Malformed("config_invalid", "desk.toml has an unknown name.", observed=unknown[0])
    if not isinstance(found.get("four_eyes", False), bool):
        raise Malformed("config_invalid", "'four_eyes' is true or false.")
    if not isinstance(found.get("hub"), str):
        raise Malformed("config_invalid", "desk.toml must name the hub.")
    return DeskConfig(
        home=home,
        hub=parse_hub_url(found["hub"]),
        org=parse_org_id(found["org"]) if "org" in found else None,
        port=_number(found, "port", DEFAULT_PORT, _MAX_PORT),
        retention_days=_number(found, "retention_days", DEFAULT_RETENTION_DAYS, _MAX_RETENTION),
        four_eyes=found.get("four_eyes", False),
    )


def _number(found: dict[str, object], name: str, default: int, maximum: int) -> int:
    value = found.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise Malformed("config_invalid", f"'{name}' must be a number from 0 to {maximum}.")
    return value
