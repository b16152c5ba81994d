"""A registrar's public half: the file that ``accord registrar init`` writes for the hub's operator.

The same object stands in the root file. The name is for people; only the key counts.
"""

from dataclasses import dataclass

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
)
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_org_name
from accord.kernel.keys import SigningPublicKey

MAX_REGISTRAR = 8 * 1024
"""Largest public key file in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """One registrar: a short name (a-z, 0-9, inner hyphens), and the key that counts."""

    name: str
    key: SigningPublicKey


def registrar_object(registrar: Registrar) -> dict[str, JsonValue]:
    """Return ``{"name", "key"}`` as it stands in a root file."""
    return {"name": registrar.name, "key": b64encode(registrar.key.raw)}


def parse_registrar_object(obj: JsonValue) -> Registrar:
    """Parse ``{"name", "key"}``.

    Raises:
        Malformed: ``value_invalid``, ``key_*``, ``base64_invalid``, ``org_name_invalid``.
    """
    if not isinstance(obj, dict):
        raise Malformed("value_invalid", "A registrar must be an object.")
    require_keys(obj, required=("name", "key"))
    key = SigningPublicKey.from_raw(b64decode(obj["key"]))
    return Registrar(name=parse_org_name(obj["name"]), key=key)


def format_registrar(registrar: Registrar) -> bytes:
    """Return the public key file: ``{"v":1,"registrar":{"name","key"}}`` and a line end."""
    return dump_object({"v": 1, "registrar": registrar_object(registrar)}) + b"\n"


def parse_registrar(data: bytes) -> Registrar:
    """Parse a public key file.

    Raises:
        Malformed: as ``parse_registrar_object``, ``json_*``.
    """
    obj = parse_object(data.removesuffix(b"\n"), limit=MAX_REGISTRAR)
    require_keys(obj, required=("v", "registrar"))
    require_int(obj, "v", minimum=1, maximum=1)
    return parse_registrar_object(obj["registrar"])
