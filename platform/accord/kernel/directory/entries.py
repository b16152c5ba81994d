"""The three kinds of leaf in the directory log: statements, charter points, root points.

A statement is a signed envelope. A charter or root point is a small unsigned object that fixes
which signed charter or root file is in force from here on: the thing itself carries the
registrars' signatures, the point gives it its place in the witnessed log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from accord.kernel import dsse
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.statements import SignedStatement, parse_statement
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_object,
)
from accord.kernel.errors import Malformed
from accord.kernel.policy.charter import Charter

MAX_POINT = 1024
_CHARTER = b'{"v":1,"charter":'
ROOT_START = b'{"v":1,"root":'
_DIGEST_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CharterPoint:
    """From this leaf on, the charter with this version and hash is in force.

    Attributes:
        version: the charter's own version; strictly rising in the log.
        sha256: hash of the charter's TOML bytes.
        size: how many bytes they are.
        registrars: how many registrars must sign enrolments, resumptions, recoveries and
            revocations while it is in force, when that is more than the root file asks for.
    """

    version: int
    sha256: bytes
    size: int
    registrars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPoint:
    """From this leaf on, the root file with this version and hash is in force.

    Attributes:
        version: the root file's version; the next one after that in force.
        sha256: hash of the root file's payload.
        size: how many bytes that is.
    """

    version: int
    sha256: bytes
    size: int


Entry = SignedStatement | CharterPoint | RootPoint


def charter_point(charter: Charter) -> CharterPoint:
    """Return the point that puts ``charter`` in force."""
    return CharterPoint(
        version=charter.version,
        sha256=charter.sha256,
        size=charter.size,
        registrars=charter.registrars,
    )


def root_point(root: RootFile) -> RootPoint:
    """Return the point that puts ``root`` in force."""
    return RootPoint(version=root.version, sha256=root.sha256, size=len(root.payload))


def format_point(point: CharterPoint | RootPoint) -> bytes:
    """Return the leaf's bytes: ``{"v":1,"charter"|"root":{"version","sha256","len"}}``.

    A charter point may have ``registrars`` behind ``len``.
    """
    name = "charter" if isinstance(point, CharterPoint) else "root"
    inner: dict[str, JsonValue] = {
        "version": point.version,
        "sha256": b64encode(point.sha256),
        "len": point.size,
    }
    if isinstance(point, CharterPoint) and point.registrars is not None:
        inner["registrars"] = point.registrars
    return dump_object({"v": 1, name: inner})


def parse_entry(data: bytes) -> Entry:
    """Parse one leaf of the directory log; signatures are not verified here.

    Raises:
        Malformed: as ``parse_statement``, or ``json_*``, ``key_*``, ``value_invalid``,
            ``base64_invalid`` for a point.
    """
    if data.startswith(_CHARTER):
        return _parse_charter_point(data)
    if data.startswith(ROOT_START):
        inner = _inner(data, "root")
        require_keys(inner, required=("version", "sha256", "len"))
        return RootPoint(**_common(inner))
    if data.startswith(b'{"v":'):
        raise Malformed("entry_unknown", "The directory log holds no such leaf.")
    return parse_statement(data)


def _parse_charter_point(data: bytes) -> CharterPoint:
    inner = _inner(data, "charter")
    require_keys(
        inner, required=("version", "sha256", "len", "registrars"), optional=("registrars",)
    )
    asked = None
    if "registrars" in inner:
        asked = require_int(inner, "registrars", minimum=1, maximum=dsse.MAX_SIGNERS)
    return CharterPoint(**_common(inner), registrars=asked)


def _inner(data: bytes, name: str) -> dict[str, JsonValue]:
    obj = parse_object(data, limit=MAX_POINT)
    require_keys(obj, required=("v", name))
    require_int(obj, "v", minimum=1, maximum=1)
    return require_object(obj, name)


class _Common(TypedDict):
    version: int
    sha256: bytes
    size: int


def _common(inner: Mapping[str, JsonValue]) -> _Common:
    return _Common(
        version=require_int(inner, "version", minimum=1),
        sha256=b64decode(inner["sha256"], length=_DIGEST_SIZE),
        size=require_int(inner, "len", minimum=1),
    )
