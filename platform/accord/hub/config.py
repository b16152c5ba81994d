"""The hub's settings: one TOML file in its home, read once, strict.

Each field says what an attacker who controls it gains. Keys and passphrases are not settings: the
log keys lie in ``keys.accord`` beside the file, wrapped by the passphrase.
"""

import ipaddress
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from accord.kernel.errors import Conflict, Malformed, NotFound, Refused
from accord.kernel.identifiers import parse_origin

FILE_NAME = "hub.toml"
KEYS_NAME = "keys.accord"
DATABASE_NAME = "hub.db"
BODIES_NAME = "bodies"
ERASURES_NAME = "erasures.jsonl"
ROOT_NAME = "root.json"
ROOT_DRAFT_NAME = "root.draft.json"

_DATABASE_OPTIONS = {
    "application_name",
    "connect_timeout",
    "passfile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
}
"""What the address of a database may say after the question mark (libpq's own names)."""

_DATABASE_PATH = re.compile(r"/[A-Za-z0-9_-]{1,63}")
_KEYS = {
    *("origin", "instance", "host", "port", "https", "threads", "authorities", "feed_days"),
    *("bundles_per_minute", "bundles_per_hour", "megabytes_per_day", "open_requests"),
    *("database", "public_url", "passwords", "factor_for_all"),
    *("keep_exchange_days", "keep_governance_days", "keep_access_days"),
}

_ORIGIN = re.compile(r"(?:https://[a-z0-9.-]+|http://localhost)(?::[1-9][0-9]{0,4})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """Settings of one hub.

    Attributes:
        home: the folder that holds everything of this hub.
        origin: the hub's name in ids and logs. Controlled by an attacker: desks refuse it, since
            their root file names another.
        instance: eight hexadecimal digits that tell cookies of hubs on one host apart.
        host: IPv4 address to listen on; the default is this computer only.
        port: TCP port, 0 to 65535; 0 takes a free one.
        https: whether people reach the pages by https; then cookies are ``Secure``. Controlled:
            cookies could travel in the clear.
        threads: requests worked on at once, 4 to 256; a quarter of them may wait in long polls.
        authorities: values of ``Host`` that signed requests may name beside the listening
            address. Controlled: requests signed for another host would be taken.
        bundles_per_minute: one member's bundles in a minute above which the others are held aside
            until the operator releases them, 1 to 1,000,000. Controlled, like the next three: one
            member could flood the others, or be kept from sending.
        bundles_per_hour: one member's bundles (and, counted apart, recalls) in an hour above which
            it is told to come back, 1 to 100,000,000.
        megabytes_per_day: one member's sealed megabytes (10^6) in a day, 1 to 1,000,000,000.
        open_requests: one member's requests that are neither closed nor expired, 1 to 1,000,000.
        database: address of a PostgreSQL database (libpq URI, without a password); ``""`` is the
            file ``hub.db``. Controlled: an older copy could be served, which witnesses
            show, and what the hub stores could be read, but not what was sealed.
        feed_days: days that the feed keeps what it told of erased bundles and of keys, 1 to 3650.
            Controlled: desks that ask more rarely must fetch the whole feed again.
        public_url: where people reach the pages, for example ``https://hub.example``; passkeys are
            bound to its host name. Empty: the first of ``authorities`` under https, else
            ``http://localhost`` with the port. Controlled: passkeys made for another host count.
        passwords: whether a password with an authenticator app does where there is no passkey.
            Controlled: passwords that can be guessed or phished are taken.
        keep_exchange_days: days that the audit trail says what became of bundles, requests and
            tallies, 30 to 36500. Controlled, like the next two: evidence goes too early, or names
            stay too long.
        keep_governance_days: the same of members, keys, charter, people and the hub itself.
        keep_access_days: the same of who signed in, looked and took out.
        factor_for_all: whether everybody needs a second factor, not administrators and auditors
            alone. Controlled: a stolen password is enough for a viewer.
    """

    home: Path
    origin: str
    instance: str
    host: str = "127.0.0.1"
    port: int = 8600
    https: bool = False
    threads: int = 64
    authorities: tuple[str, ...] = ()
    bundles_per_minute: int = 6000
    bundles_per_hour: int = 100_000
    megabytes_per_day: int = 50_000
    open_requests: int = 1000
    database: str = ""
    feed_days: int = 90
    public_url: str = ""
    passwords: bool = True
    factor_for_all: bool = False
    keep_exchange_days: int = 3650
    keep_governance_days: int = 3650
    keep_access_days: int = 1095

    def settings(self) -> dict[str, object]:
        """Return the settings by name, as the file has them."""
        return {
            field.name: list(value)
            if isinstance(value := getattr(self, field.name), tuple)
            else value
            for field in fields(self)
            if field.name != "home"
        }

    def known_authorities(self, port: int) -> frozenset[str]:
        """Return the hosts that requests may name when the hub listens on ``port``."""
        return frozenset({f"{self.host}:{port}", f"localhost:{port}", *self.authorities})

    def pages_origin(self, port: int) -> str:
        """Return the origin of the pages when the hub listens on ``port``."""
        if self.public_url:
            return self.public_url
        if self.https and self.authorities:
            return f"https://{self.authorities[0]}"
        return f"http://localhost:{port}"

    @property
    def database_file(self) -> Path:
        """The file of an SQLite database."""
        return self.home / DATABASE_NAME

    @property
    def place(self) -> Path | str:
        """Where the database is: a file, or the address of a PostgreSQL database."""
        return self.database or self.database_file

    @property
    def bodies(self) -> Path:
        """The folder of large sealed bodies."""
        return self.home / BODIES_NAME

    @property
    def keys(self) -> Path:
        """The wrapped log keys."""
        return self.home / KEYS_NAME

    @property
    def erasures(self) -> Path:
        """The list of erasures of persons; it names none, and outlives every restore."""
        return self.home / ERASURES_NAME

    @property
    def root(self) -> Path:
        """The root file that the registrars signed."""
        return self.home / ROOT_NAME

    @property
    def root_draft(self) -> Path:
        """The root file before the registrars signed it."""
        return self.home / ROOT_DRAFT_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How a hub is reached from outside: settings ``https`` and ``authorities``."""

    https: bool = False
    authorities: tuple[str, ...] = ()


def new_config(
    home: Path,
    *,
    origin: str,
    host: str,
    port: int,
    database: str = "",
    reached: Reached | None = None,
) -> HubConfig:
    """Write the settings of a new hub and return them.

    Raises:
        Conflict: ``hub_exists`` when the home holds a hub already.
        Malformed: ``setting_invalid`` or ``origin_invalid``.
        Refused: ``database_password``.
    """
    path = home / FILE_NAME
    if path.exists():
        raise Conflict(
            "hub_exists",
            "There is a hub in this folder already; it is not overwritten.",
            observed=str(home),
            next_step="Choose another --home.",
        )
    config = HubConfig(
        home=home,
        origin=parse_origin(origin),
        instance=secrets.token_hex(4),
        host=host,
        port=port,
        database=parse_database(database) if database else "",
        https=reached.https if reached else False,
        authorities=reached.authorities if reached else (),
    )
    authorities = ", ".join(f'"{one}"' for one in config.authorities)
    lines = [
        f'origin = "{config.origin}"',
        f'instance = "{config.instance}"',
        f'host = "{config.host}"',
        f"port = {config.port}",
        f"https = {str(config.https).lower()}",
        f"threads = {config.threads}",
        f"authorities = [{authorities}]",
        f'database = "{config.database}"',
        f"feed_days = {config.feed_days}",
    ]
    text = "\n".join(lines) + "\n"
    parse_config(home, text)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return config


def load_config(home: Path) -> HubConfig:
    """Read the settings of the hub in ``home``.

    Raises:
        NotFound: ``hub_missing``.
        Malformed: ``setting_invalid`` or ``setting_unknown``.
    """
    try:
        text = (home / FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            "hub_missing",
            "There is no hub in this folder.",
            observed=str(home),
            next_step="Make one with: accord hub init",
        ) from error
    return parse_config(home, text)


def set_database(home: Path, address: str) -> None:
    """Write into the settings of ``home`` where the database is; ``""`` is a file beside them.

    Raises:
        Malformed: ``setting_invalid``, and nothing is written.
    """
    path = home / FILE_NAME
    kept = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if not re.match(r"database\s*=", line)
    ]
    text = "\n".join([f'database = "{address}"', *kept]) + "\n"
    parse_config(home, text)
    path.write_text(text, encoding="utf-8")


def parse_config(home: Path, text: str) -> HubConfig:
    """Parse settings strictly.

    Raises:
        Malformed: ``setting_invalid`` (with the name) or ``setting_unknown``.
        Refused: ``database_password``.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("setting_invalid", f"{FILE_NAME}: {error}") from error
    unknown = sorted(set(found) - _KEYS)
    if unknown:
        raise Malformed("setting_unknown", "A setting has no meaning.", observed=unknown[0])
    return HubConfig(
        home=home,
        origin=parse_origin(found.get("origin")),
        instance=_text(found, "instance"),
        host=_address(found, "host"),
        port=_number(found, "port", 0, 65_535),
        https=_flag(found, "https"),
        threads=_number(found, "threads", 4, 256),
        authorities=tuple(_items(found, "authorities")),
        bundles_per_minute=_quota(found, "bundles_per_minute", 1_000_000),
        bundles_per_hour=_quota(found, "bundles_per_hour", 100_000_000),
        megabytes_per_day=_quota(found, "megabytes_per_day", 1_000_000_000),
        open_requests=_quota(found, "open_requests", 1_000_000),
        database=_database(found),
        feed_days=_number(found, "feed_days", 1, 3650) if "feed_days" in found else 90,
        public_url=_origin(found, "public_url"),
        passwords=_flag({"passwords": True} | found, "passwords"),
        factor_for_all=_flag({"factor_for_all": False} | found, "factor_for_all"),
        keep_exchange_days=_days(found, "keep_exchange_days"),
        keep_governance_days=_days(found, "keep_governance_days"),
        keep_access_days=_days(found, "keep_access_days"),
    )


def _days(found: Mapping[str, object], name: str) -> int:
    # Homes of the first release do not name it.
    default = next(field.default for field in fields(HubConfig) if field.name == name)
    return _number({name: default} | dict(found), name, 30, 36_500)


def _database(found: Mapping[str, object]) -> str:
    # Homes of the first release do not name it.
    if found.get("database", "") == "":
        return ""
    return parse_database(_text(found, "database"))


def parse_database(text: str) -> str:
    """Return the address of a PostgreSQL database, checked.

    Raises:
        Malformed: ``setting_invalid``.
        Refused: ``database_password``: passwords do not belong into settings.
    """
    wrong = _invalid("database", "an address like postgresql://user@host/name")
    if not text.isascii() or not text.isprintable() or set(text) & set(" \"\\'#"):
        raise wrong
    try:
        parts = urlsplit(text)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise wrong from error
    user, _, _ = parts.netloc.rpartition("@")
    names = [name for name, _ in options]
    if ":" in user or "password" in names:
        raise Refused(
            "database_password",
            "A password does not belong into the settings.",
            next_step="Name a file of mode 0600 with passfile=/path, or use ~/.pgpass.",
        )
    if parts.scheme != "postgresql" or not parts.netloc:
        raise wrong
    if _DATABASE_PATH.fullmatch(parts.path) is None:
        raise wrong
    if len(set(names)) != len(names) or not set(names) <= _DATABASE_OPTIONS:
        known = ", ".join(sorted(_DATABASE_OPTIONS))
        raise _invalid("database", f"an address with options of: {known}")
    return text


def _invalid(name: str, wanted: str) -> Malformed:
    return Malformed("setting_invalid", f"The setting '{name}' must be {wanted}.")


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(name, "text")
    return value


def _address(found: Mapping[str, object], name: str) -> str:
    # A name may stand for several addresses, and then it is not one place that is listened on.
    try:
        return str(ipaddress.IPv4Address(_text(found, name)))
    except ValueError as error:
        raise _invalid(name, "an IPv4 address, for example 127.0.0.1") from error


def _number(found: Mapping[str, object], name: str, minimum: int, maximum: int) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise _invalid(name, f"a number from {minimum} to {maximum}")
    return value


def _quota(found: Mapping[str, object], name: str, maximum: int) -> int:
    default = next(field.default for field in fields(HubConfig) if field.name == name)
    return _number({name: default} | dict(found), name, 1, maximum)


def _flag(found: Mapping[str, object], name: str) -> bool:
    value = found.get(name)
    if not isinstance(value, bool):
        raise _invalid(name, "true or false")
    return value


def _origin(found: Mapping[str, object], name: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str) or (value and _ORIGIN.fullmatch(value) is None):
        raise _invalid(name, "an origin, for example https://hub.example")
    return value


def _items(found: Mapping[str, object], name: str) -> list[str]:
    value = found.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _invalid(name, "a list of texts")
    return value
