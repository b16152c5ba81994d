"""Passwords: how they are kept and which are refused.

Argon2id only; the time of a check does not tell whether the name exists. What is refused is what is
guessed first: short ones, the account's own name, and the lists that every attacker has.
"""

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accord.kernel.errors import Malformed

MIN_PASSWORD = 12
MAX_PASSWORD = 256
"""Shortest and longest password, in characters."""

_TIME, _MEMORY, _LANES = 2, 19 * 1024, 1
# OWASP's first choice for Argon2id. Not more memory: strangers who sign in at once on every thread
# would otherwise take gigabytes, and a second factor stands behind the password.

_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$adpl77HtaRsMmgyZDvncKA$"
    "RkgK/DTREr8Rm3cKOXY0nlXNRGrD5aRHU0DD4ky37zQ"
)
# What a password is compared with where there is none: made once, at this cost, from 32 random
# bytes that were thrown away; no answer depends on them (``fits``).

MIN_DISTINCT = 5
"""Fewest different characters."""

_LIST = """
    password passwort wachtwoord motdepasse contrasena iloveyou letmein welcome qwerty qwertyuiop
    qwertz azerty asdfgh zxcvbn q w e r t y qaz wsx edc abc abcdef admin administrator master
    monkey dragon football baseball superman batman sunshine princess trustno changeme change me
    secret default guest test user login access hello summer winter spring autumn accord hub police
    bank correcthorsebatterystaple this is a my
"""
_COMMON = frozenset(_LIST.split())
"""Words that a password may not be made of alone, whatever digits and signs stand between."""

_RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
)
_NEXT = "Take four or more random words, or let a password manager make one."


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self) -> None:
        """Take the one cost at which all is hashed."""
        self._hasher = PasswordHasher(time_cost=_TIME, memory_cost=_MEMORY, parallelism=_LANES)

    def is_older(self, kept: str) -> bool:
        """Say whether a hash was made at another cost, so that its time would tell it apart."""
        return self._hasher.check_needs_rehash(kept)

    def hash(self, password: str) -> str:
        """Return the hash to keep."""
        return self._hasher.hash(_normal(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Say whether ``password`` is the one; as slow when there is none to compare with."""
        try:
            self._hasher.verify(kept or _NOBODY, _normal(password[: MAX_PASSWORD + 1]))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None and len(password) <= MAX_PASSWORD


def check_password(password: str, *, login: str) -> str:
    """Return ``password`` when it may be taken.

    Raises:
        Malformed: ``password_short``, ``password_long``, ``password_common``.
    """
    if len(password) < MIN_PASSWORD:
        raise Malformed(
            "password_short",
            f"A password has {MIN_PASSWORD} characters or more.",
            observed=f"{len(password)} characters",
            next_step=_NEXT,
        )
    if len(password) > MAX_PASSWORD:
        raise Malformed("password_long", f"A password has at most {MAX_PASSWORD} characters.")
    if _is_common(_normal(password).casefold(), login):
        raise Malformed(
            "password_common",
            "This password is among those that are guessed first.",
            next_step=_NEXT,
        )
    return password


def _is_common(text: str, login: str) -> bool:
    if len(set(text)) < MIN_DISTINCT or any(text in run or text[::-1] in run for run in _RUNS):
        return True
    # What is left without the digits and signs around well-known words, or around the own name.
    known = _COMMON | {login, *re.split(r"[._-]", login)}
    words = [word for word in re.split(r"[\W\d_]+", text) if word]
    return all(word in known for word in words) or "".join(words) in known


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
