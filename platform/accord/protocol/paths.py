"""HTTP paths and media types of the hub (formats, section 6).

Every path that this module writes is plain: ASCII letters, digits and ``-._~@:/``, never a
percent escape, so that a signed path has one spelling. Names in angle brackets are what the hub's
routes take; the functions fill them in.
"""

import re
from typing import Final

from accord.kernel.errors import Malformed
from accord.kernel.identifiers import BundleId, parse_bundle_id

HUB: Final = "/v1/hub"
ROOT: Final = "/v1/root"
CHARTER: Final = "/v1/charter"
OPENAPI: Final = "/v1/openapi.json"

ENROLMENTS: Final = "/v1/enrolments"
ENROLMENT: Final = "/v1/enrolments/<enrolment_id>"
ENROLMENT_PROOF: Final = "/v1/enrolments/<enrolment_id>/proof"
STATEMENTS: Final = "/v1/statements"

BUNDLE: Final = "/v1/bundles/<bundle_id>"
RECEIPT: Final = "/v1/bundles/<bundle_id>/receipt"
ERASURE: Final = "/v1/bundles/<bundle_id>/erasure"
FEED: Final = "/v1/feed"
DELIVERIES: Final = "/v1/deliveries"
EVENTS: Final = "/v1/events"
ACKNOWLEDGEMENTS: Final = "/v1/acknowledgements"
TALLY: Final = "/v1/tallies/<month>"
JOURNAL_HEAD: Final = "/v1/journal/head"
JOURNAL_RESTART: Final = "/v1/journal/restart"

DIRECTORY_LOG: Final = "/log/directory"
AUDIT_LOG: Final = "/log/audit"
CHECKPOINT: Final = "checkpoint"
"""Below a log's path; tiles and entry bundles stand beside it (C2SP tlog-tiles)."""

HEALTH: Final = "/healthz"
READY: Final = "/readyz"
METRICS: Final = "/metrics"

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
SIGN_IN_PASSKEY: Final = "/sign-in/passkey"
SECOND: Final = "/sign-in/second"
SECOND_CODE: Final = "/sign-in/second/code"
SECOND_RECOVERY: Final = "/sign-in/second/recovery"
SECOND_PASSKEY: Final = "/sign-in/second/passkey"
SIGN_OUT: Final = "/sign-out"
CONFIRM: Final = "/confirm"
CONFIRM_PASSKEY: Final = "/confirm/passkey"
JOIN: Final = "/join"
NOTICES: Final = "/notices"
ACCOUNT: Final = "/account"
SET_UP: Final = "/account/set-up"
OWN_SESSION_END: Final = "/account/sessions/<int:number>/end"
OWN_PASSWORD: Final = "/account/password"  # noqa: S105 - a path
OWN_PASSKEYS: Final = "/account/passkeys"
OWN_PASSKEY_REMOVE: Final = "/account/passkeys/<int:number>/remove"
OWN_TOTP: Final = "/account/authenticator"
OWN_TOTP_BEGIN: Final = "/account/authenticator/begin"
OWN_TOTP_IMAGE: Final = "/account/authenticator.svg"
OWN_TOTP_REMOVE: Final = "/account/authenticator/remove"
OWN_RECOVERY: Final = "/account/recovery-codes"
PEOPLE: Final = "/people"
PEOPLE_INVITE: Final = "/people/invites"
PEOPLE_WITHDRAW: Final = "/people/invites/<int:number>/withdraw"
PERSON_ROLE: Final = "/people/<handle>/role"
PERSON_REMOVE: Final = "/people/<handle>/remove"
PERSON_RESET: Final = "/people/<handle>/reset"
PERSON_SIGN_OUT: Final = "/people/<handle>/sign-out"
SUMMARY: Final = "/summary"
SUMMARY_FILE: Final = "/summary.<form>"
PUBLIC_SUMMARY: Final = "/public"
PUBLIC_FILE: Final = "/public.<form>"
"""Quarters, for anybody."""
LOG_PAGE: Final = "/log"
RECALLS: Final = "/recalls"
AUDIT_PAGE: Final = "/audit"
AUDIT_FILE: Final = "/audit/download"
AUDIT_PROOF: Final = "/audit/<number>.tlog-proof"
CHARTER_PAGE: Final = "/charter"

BUNDLE_TYPE: Final = "application/vnd.accord.bundle"
TRIMMED_TYPE: Final = "application/vnd.accord.trimmed-bundle"
DELIVERIES_TYPE: Final = "application/vnd.accord.deliveries"
STATEMENT_TYPE: Final = "application/vnd.accord.statement+json"
"""A DSSE envelope: acknowledgement, tally, directory statement, root file, charter."""
PROOF_TYPE: Final = "application/vnd.accord.tlog-proof"
JSON_TYPE: Final = "application/json"
PROBLEM_TYPE: Final = "application/problem+json"

_MONTH = re.compile(r"(20[2-9][0-9])-(0[1-9]|1[0-2])")
_ENROLMENT_ID = re.compile(r"[a-z2-7]{26}")


def parse_month(text: object) -> str:
    """Return ``text`` as a month, ``YYYY-MM`` from 2020-01 to 2099-12.

    Raises:
        Malformed: ``month_invalid``.
    """
    if not isinstance(text, str) or _MONTH.fullmatch(text) is None:
        raise Malformed("month_invalid", "A month is YYYY-MM, for example 2026-03.")
    return text


def parse_enrolment_id(text: object) -> str:
    """Return ``text`` as an enrolment's id: 26 letters of lower-case base32 (130 bits).

    Raises:
        Malformed: ``enrolment_id_invalid``.
    """
    if not isinstance(text, str) or _ENROLMENT_ID.fullmatch(text) is None:
        raise Malformed("enrolment_id_invalid", "An enrolment's id has 26 letters a-z and 2-7.")
    return text


def enrolment(enrolment_id: str) -> str:
    """Return the path of one enrolment."""
    return ENROLMENT.replace("<enrolment_id>", parse_enrolment_id(enrolment_id))


def enrolment_proof(enrolment_id: str) -> str:
    """Return the path to which the answer to an enrolment's challenge goes."""
    return ENROLMENT_PROOF.replace("<enrolment_id>", parse_enrolment_id(enrolment_id))


def bundle(bundle_id: BundleId) -> str:
    """Return the path of one bundle: PUT sealed, GET trimmed."""
    return BUNDLE.replace("<bundle_id>", parse_bundle_id(bundle_id))


def receipt(bundle_id: BundleId) -> str:
    """Return the path of a bundle's receipt."""
    return RECEIPT.replace("<bundle_id>", parse_bundle_id(bundle_id))


def erasure(bundle_id: BundleId) -> str:
    """Return the path of the proof that a bundle's sealed bytes were deleted."""
    return ERASURE.replace("<bundle_id>", parse_bundle_id(bundle_id))


def tally(month: str) -> str:
    """Return the path of the caller's tally of one closed month."""
    return TALLY.replace("<month>", parse_month(month))


def log_resource(log: str, resource: str) -> str:
    """Return the path of ``resource`` (``checkpoint`` or a tile path) below a log's path."""
    return f"{log}/{resource}"
