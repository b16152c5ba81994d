"""URLs: http, https and ftp, in the form of the WHATWG URL standard, with a host of ``hosts``.

User, password and fragment are dropped; path and query stay byte for byte as the standard
serialises them, because paths of file hosts are case-sensitive. A URL with an IP address as host
is carried: the URL is the indicator.
"""

import re

import can_ada

from accord.kernel.indicators.cleaning import ascii_dots, refang
from accord.kernel.indicators.hosts import canonical_host, refused
from accord.kernel.indicators.kinds import MAX_VALUE, Kind, Normalised
from accord.kernel.indicators.private_keys import refuse_proven_keys

SCHEMES = frozenset({"http:", "https:", "ftp:"})
_LOOKS = re.compile(
    r"\s*[\"'`<\u201c\u201e\u00ab\u2039(]*\s*(?:h[xXtT*]{1,2}ps?|s?f[xt]ps?)\s*[\[({]?\s*:",
    re.IGNORECASE,
)
_DEFAULT_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}").fullmatch


def looks_like_url(text: str) -> bool:
    """Say whether ``text`` begins with one of our schemes, defanged or not."""
    return _LOOKS.match(text) is not None or "://" in text or "[:]//" in text


def read_url(text: str, *, listed: bool = True) -> Normalised:
    """Return the URL as an indicator; its host and registrable domain are aliases.

    Args:
        text: a URL, defanged or not.
        listed: as in ``hosts.canonical_host``.

    Raises:
        Malformed: ``url_invalid``, ``scheme_unsupported``, ``too_long``, ``private_key``, or what
            ``hosts`` raises.
    """
    bare = refang(text)
    try:
        url = can_ada.parse(bare)
    except (TypeError, ValueError) as error:  # TypeError: half of a surrogate pair, no text at all
        raise refused("url_invalid", "This is not a URL.") from error
    if url.protocol not in SCHEMES:
        raise refused("scheme_unsupported", "Only http, https and ftp URLs are carried.")
    host, aliases, flags = _host(str(url.hostname), listed=listed)
    port = f":{url.port}" if url.port else ""
    value = f"{url.protocol}//{host}{port}{url.pathname}{url.search}"
    if len(value) > MAX_VALUE:
        raise refused("too_long", f"A URL has at most {MAX_VALUE} characters.")
    refuse_proven_keys(value)
    return Normalised(Kind.URL, None, value, aliases=aliases, flags=flags, changed=value != text)


def _host(hostname: str, *, listed: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the host as written in the URL, its aliases and its flags."""
    if hostname.startswith("[") or _DEFAULT_ADDRESS(hostname):
        return hostname, (), ("ip_host",)
    host = canonical_host(ascii_dots(hostname), listed=listed)
    if "gateway" in host.flags:
        return hostname.removesuffix("."), (host.value,), host.flags
    aliases: tuple[str, ...] = (host.value,)
    if host.kind is Kind.DOMAIN and host.registrable != host.value:
        aliases = (host.value, host.registrable)
    return host.host, aliases, host.flags
