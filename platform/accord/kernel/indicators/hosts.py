"""Domain names and onion services: one canonical ASCII host, and the domain that is registered.

IDNA is UTS-46, non-transitional (``ß`` stays), with its checks of hyphens, first character, joiners
and direction; emoji domains exist and are carried. The public suffix list is the
copy inside the package ``publicsuffixlist``, with its private section: ``user.github.io`` has an
owner of its own. Sources: RFC 1035, RFC 1123, RFC 5891-5893, UTS-46, Tor rend-spec-v3 6.
"""

import functools
import re
import unicodedata
from hashlib import sha3_256

import idna
import msgspec
from publicsuffixlist import PublicSuffixList

from accord.kernel.errors import Malformed
from accord.kernel.indicators.cleaning import ascii_dots, refang
from accord.kernel.indicators.kinds import Kind

MAX_HOST = 253
ONION_LABEL = 56
RETIRED_ONION_LABEL = 16

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)").fullmatch
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:(?!-|xn--)[a-z0-9_-]{1,63}(?<!-)\.)+(?!-|xn--)[a-z0-9_-]{1,63}(?<!-)"
).fullmatch
_ADDRESS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*").fullmatch
_PORT = re.compile(r"(.*?):([0-9]{1,5})").fullmatch
_ONION_TEXT = re.compile(r"[a-z2-7]{56}").fullmatch
_TO_BASE32HEX = bytes.maketrans(
    b"abcdefghijklmnopqrstuvwxyz234567", b"0123456789abcdefghijklmnopqrstuv"
)
_GATEWAYS = re.compile(r"(?:^|\.)([a-z2-7]{56})\.(?:onion\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\Z").search
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_JOINERS = "\u200c\u200d"
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "HEBREW", "ARABIC")


class Host(msgspec.Struct, frozen=True, gc=False):
    """A canonical host.

    Attributes:
        kind: ``Kind.DOMAIN`` or ``Kind.ONION``.
        host: whole host in canonical ASCII, sub-domains included.
        value: what an indicator of this host is called: the host, or the bare onion name.
        registrable: the domain below its public suffix; for an onion the bare onion name.
        flags: sorted; ``gateway``, ``mixed_script``, ``subdomains``.
    """

    kind: Kind
    host: str
    value: str
    registrable: str
    flags: tuple[str, ...] = ()


@functools.cache
def _suffixes(*, encoded: bool) -> PublicSuffixList:
    """The list; without ``encoded`` it lacks the rules in punycode, which take long to make."""
    return PublicSuffixList(accept_encoded_idn=encoded)


def refused(code: str, message: str, *, next_step: str | None = None) -> Malformed:
    """Return the refusal of a host; the host itself is never part of it."""
    return Malformed(code, message, next_step=next_step)


def read_host(text: str) -> Host:
    """Return the canonical host of a domain or onion name, defanged or not.

    A port, a root dot and a leading ``*.`` are taken away.

    Raises:
        Malformed: ``empty``, ``too_long``, ``host_invalid``, ``idna_invalid``, ``ip_address``,
            ``single_label``, ``public_suffix``, ``retired_onion_v2``, ``checksum_wrong``.
    """
    bare = ascii_dots(refang(text))
    wildcard = bare.startswith("*.")
    if wildcard:
        bare = bare[2:]
    return canonical_host(bare, subdomains=wildcard)


def canonical_host(text: str, *, subdomains: bool = False, listed: bool = True) -> Host:
    """Return the canonical host of a bare host text; see ``read_host`` for what it raises.

    Args:
        text: host without scheme or port, not defanged.
        subdomains: the text stood for all sub-domains (``*.``).
        listed: refuse a public suffix. A received record is not judged by our copy of the list,
            which may be older or newer than the sender's.
    """
    lower = text.lower()
    if lower.isascii() and _HOST(lower) and not lower.endswith(".onion"):
        # The common case: ASCII, nothing to map, no punycode to prove.
        host, mixed = lower, False
    else:
        host = to_ascii(_without_port(text))
        mixed = "xn--" in host and _mixes_scripts(host)
    labels = host.split(".")
    if _ADDRESS(host) or labels[-1].isdigit():
        raise refused("ip_address", "This is an IP address, which is not carried.")
    if labels[-1] == "onion":
        return _onion(host, subdomains=subdomains)
    if len(labels) < 2:
        raise _single_label(host)
    return domain(host, subdomains=subdomains, mixed=mixed, listed=listed)


def _without_port(text: str) -> str:
    if text.startswith("["):
        raise refused("ip_address", "This is an IP address, which is not carried.")
    found = _PORT(text)
    return found.group(1) if found else text


def to_ascii(text: str) -> str:
    """Return the ASCII form of a host: mapped, punycode proven, each label checked, no root dot.

    Raises:
        Malformed: ``empty``, ``too_long``, ``host_invalid``, ``idna_invalid``.
    """
    host = text.lower() if text.isascii() else _encode(text)
    host = host.removesuffix(".")
    if not host:
        raise refused("empty", "There is no host.")
    if len(host) > MAX_HOST:
        raise refused("too_long", f"A host has at most {MAX_HOST} characters.")
    labels = host.split(".")
    for label in labels:
        if _LABEL(label) is None:
            raise refused("host_invalid", "A label of the host is empty, too long or misspelled.")
    if any(label.startswith("xn--") for label in labels):
        _prove_international([_decode_label(label) for label in labels])
    return host


def _encode(text: str) -> str:
    """Map by UTS-46 (non-transitional) and write each label in punycode."""
    if len(text) > 4 * MAX_HOST:
        raise refused("too_long", f"A host has at most {MAX_HOST} characters.")
    try:
        mapped = idna.uts46_remap(text, std3_rules=True, transitional=False)
        labels = ascii_dots(mapped).split(".")
        return ".".join(
            label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
            for label in labels
        )
    except (idna.IDNAError, UnicodeError, IndexError, ValueError) as error:
        raise _not_idna() from error


def _decode_label(label: str) -> str:
    """Return the Unicode form of an A-label, which must be mapped and spelled as itself."""
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        mapped = idna.uts46_remap(decoded, std3_rules=True, transitional=False)
        again = decoded.encode("punycode").decode("ascii")
    except (idna.IDNAError, UnicodeError, IndexError, ValueError, OverflowError) as error:
        raise _not_idna() from error
    if decoded.isascii() or mapped != decoded or again != label[4:]:
        raise _not_idna()
    return decoded


def _prove_international(labels: list[str]) -> None:
    """Check what UTS-46 4.1 asks of each label: hyphens, first character, joiners, direction.

    IDNA2008's own list of letters is not asked: it refuses symbols, and such domains exist.
    """
    right_to_left = any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in "".join(labels))
    try:
        for label in labels:
            if not label.isascii():
                idna.check_nfc(label)
                idna.check_hyphen_ok(label)
                idna.check_initial_combiner(label)
                for position, character in enumerate(label):
                    if character in _JOINERS and not idna.valid_contextj(label, position):
                        raise _not_idna()
            if right_to_left:
                idna.check_bidi(label, check_ltr=True)
    except (idna.IDNAError, UnicodeError, ValueError) as error:
        raise _not_idna() from error


def _not_idna() -> Malformed:
    return refused("idna_invalid", "The international name is not valid under IDNA.")


def _single_label(host: str) -> Malformed:
    if _ONION_TEXT(host):
        return refused("checksum_wrong", "The checksum of the onion address is wrong.")
    return refused("single_label", "A domain has at least two labels.")


def domain(
    host: str, *, subdomains: bool = False, mixed: bool = False, listed: bool = True
) -> Host:
    """Return the domain, or the onion behind its gateway, of a host in canonical ASCII.

    Args:
        host: of at least two labels, no address, not under ``.onion``.
        subdomains: as in ``canonical_host``.
        mixed: a label as typed mixes scripts.
        listed: as in ``canonical_host``.

    Raises:
        Malformed: ``public_suffix``.
    """
    gateway = _GATEWAYS(host) if len(host) > ONION_LABEL else None
    if gateway is not None and onion_is_right(gateway.group(1)):
        value = gateway.group(1) + ".onion"
        return Host(Kind.ONION, value, value, value, ("gateway",))
    registrable = _suffixes(encoded="xn--" in host).privatesuffix(host)
    if registrable is None and not listed:
        registrable = host
    if registrable is None:
        raise refused("public_suffix", "This is a public suffix: nobody's own domain.")
    named = (("mixed_script", mixed), ("subdomains", subdomains))
    flags = tuple(name for name, raised in named if raised)
    return Host(Kind.DOMAIN, host, host, registrable, flags)


def _onion(host: str, *, subdomains: bool) -> Host:
    label = host.removesuffix(".onion").rpartition(".")[2]
    if len(label) == RETIRED_ONION_LABEL and re.fullmatch(r"[a-z2-7]+", label):
        raise refused(
            "retired_onion_v2",
            "Onion services of version 2 ended in 2021.",
            next_step="Ask for the address of version 3 (56 characters).",
        )
    if not onion_is_right(label):
        if len(label) != ONION_LABEL or not _ONION_TEXT(label):
            raise refused("host_invalid", "An onion address has 56 letters a-z and digits 2-7.")
        raise refused("checksum_wrong", "The checksum of the onion address is wrong.")
    value = label + ".onion"
    return Host(Kind.ONION, host, value, value, ("subdomains",) if subdomains else ())


def onion_is_right(label: str) -> bool:
    """Say whether 56 characters are key, checksum and version 3 of an onion service.

    A test of shape for decoders, not a verification of anything signed.
    """
    if label[-1:] != "d" or _ONION_TEXT(label) is None:
        # The last five bits of version 3 are always the letter d.
        return False
    data = int(label.encode("ascii").translate(_TO_BASE32HEX), 32).to_bytes(35, "big")
    digest = sha3_256(b".onion checksum" + data[:32] + b"\x03").digest()
    return data[34] == 3 and digest[:2] == data[32:34]


def _mixes_scripts(host: str) -> bool:
    """Say whether one label of a canonical host has letters of two alphabets that look alike."""
    for label in map(_decode_label, host.split(".")):
        scripts = {unicodedata.name(c, "").partition(" ")[0] for c in label if c.isalpha()}
        if len(scripts.intersection(_SCRIPTS)) > 1:
            return True
    return False
