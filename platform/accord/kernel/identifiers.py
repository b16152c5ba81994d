"""Names of things: organisations, bundles, keys. Text in, checked NewTypes out.

An identifier that has passed here is safe in a path, a log line and a database. Nothing here says
that the thing exists.
"""

import re
import uuid
from typing import NewType

from accord.kernel.errors import Malformed

OrgId = NewType("OrgId", str)
"""``name@hub-origin``, for example ``first-bank@hub.example``."""

BundleId = NewType("BundleId", str)
"""UUIDv7 (RFC 9562 clause 5.7), lower-case text of 36 characters."""

KeyId = NewType("KeyId", bytes)
"""32 bytes: SHA-256 over a label and the public key (``kernel.keys``)."""

UUID7_RANDOM = 10
"""Bytes of randomness that ``make_bundle_id`` takes."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_ORIGIN = re.compile(
    r"(?=.{1,120}\Z)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9][a-z0-9._-]*)*"
)
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def parse_origin(text: object) -> str:
    """Return ``text`` as a hub origin: lower-case host, optional port and path, <= 120 characters.

    Raises:
        Malformed: ``origin_invalid``.
    """
    if not isinstance(text, str) or _ORIGIN.fullmatch(text) is None:
        raise Malformed(
            "origin_invalid",
            "A hub's origin is a lower-case host name, for example hub.example.",
            observed=_shown(text),
        )
    return text


def parse_org_name(text: object) -> str:
    """Return ``text`` as the short name of an organisation: a-z, 0-9 and inner hyphens, <= 40.

    Raises:
        Malformed: ``org_name_invalid``.
    """
    if not isinstance(text, str) or _NAME.fullmatch(text) is None:
        raise Malformed(
            "org_name_invalid",
            "An organisation's short name has lower-case letters, digits and inner hyphens.",
            observed=_shown(text),
        )
    return text


def parse_org_id(text: object) -> OrgId:
    """Return ``text`` as an organisation's id.

    Raises:
        Malformed: ``org_id_invalid``.
    """
    if isinstance(text, str) and text.count("@") == 1:
        name, origin = text.split("@")
        if _NAME.fullmatch(name) and _ORIGIN.fullmatch(origin):
            return OrgId(text)
    raise Malformed(
        "org_id_invalid",
        "An organisation's id is name@hub, for example first-bank@hub.example.",
        observed=_shown(text),
    )


def make_org_id(name: str, origin: str) -> OrgId:
    """Return the id of the organisation ``name`` at the hub ``origin``; both are checked."""
    return OrgId(f"{parse_org_name(name)}@{parse_origin(origin)}")


def org_hub(org: OrgId) -> str:
    """Return the hub origin of ``org``."""
    return org.split("@")[1]


def org_name(org: OrgId) -> str:
    """Return the short name of ``org``."""
    return org.split("@")[0]


def parse_bundle_id(text: object) -> BundleId:
    """Return ``text`` as a bundle id.

    Raises:
        Malformed: ``bundle_id_invalid`` unless it is a UUIDv7 in lower-case text.
    """
    if not isinstance(text, str) or _UUID7.fullmatch(text) is None:
        raise Malformed(
            "bundle_id_invalid",
            "A bundle's id is a UUID of version 7 in lower case.",
            observed=_shown(text),
        )
    return BundleId(text)


def make_bundle_id(now_ms: int, random: bytes) -> BundleId:
    """Return a UUIDv7 (RFC 9562 clause 5.7).

    Args:
        now_ms: unix time in milliseconds.
        random: 10 fresh random bytes.
    """
    value = (now_ms & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(random[:UUID7_RANDOM], "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(3 << 62) | 2 << 62
    return BundleId(str(uuid.UUID(int=value)))


def _shown(text: object) -> str:
    return text[:80] if isinstance(text, str) else type(text).__name__
