"""Write docs/errors.md from the codes of the source: ``python -m tests.support.make_errors_page``.

The words are the source's own where it has some; ``MEANINGS`` and ``STEPS`` say the rest. The page
is tested against the source, so a new code without words stops the suite.
"""

from pathlib import Path

from tests.support.error_codes import ROW, Code, error_codes

from accord.protocol.problems import CLASSES as PROBLEMS
from accord.protocol.problems import STATUS_OF_CODE
from accord.terminal import exit_code_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

KINDS = {
    "Malformed": "malformed",
    "AuthenticationNeeded": "sign-in",
    "Refused": "refused",
    "NotFound": "not found",
    "Conflict": "conflict",
    "VerificationFailed": "verification",
    "Unavailable": "not now",
    ROW: "row",
}

NOT_LISTED = "Not one of the values that this version knows."

MEANINGS = {
    "action_not_granted": "Your organisation's kind or your role does not include this.",
    "action_unknown": "The charter names an action that does not exist.",
    "address_too_long": "The address of the request is too long.",
    "already_sent": "This desk has sent the value before; date and reference are told.",
    "audience_unknown": "A stored summary names an audience that does not exist.",
    "body_too_large": "The body of the request is larger than this path takes.",
    "charter_action": "No grant of the charter lets this kind of organisation do that.",
    "charter_approval": "The rule asks for a second person's approval first.",
    "charter_capability": "A capability that the rule asks for is missing.",
    "charter_jurisdiction": "The rule does not cover the recipient's country.",
    "charter_kind": "No rule lets this kind of bundle go there.",
    "charter_onward": "The rule does not allow this onward sharing.",
    "charter_purpose": "The rule is not for this purpose.",
    "charter_recipient": "No rule lets the sender send to this kind of organisation.",
    "charter_reply": "The rule is for answers to a bundle that the recipient had sent.",
    "charter_retention": "It would be kept longer than the rule allows.",
    "charter_sender": "No rule lets this kind of organisation send anything.",
    "charter_tlp": "The marking is narrower than the rule allows.",
    "clock_skew": "The request was signed in the future, by the hub's clock.",
    "custody_wrong": "A row of the journal, or the head over it, does not prove its line of custody.",
    "database_unsafe": "The database server would lose what it confirmed, or is too old; the setting is told.",
    "disk_full": "The disk is full; nothing was accepted.",
    "dsse_too_long": "The signatures are longer than 32 KiB.",
    "duplicate_in_file": "The value stands earlier in the same file.",
    "header_too_long": "The header is longer than 64 KiB.",
    "file_none": "The form came without a file.",
    "header_version": "The header is of a version that is not known here.",
    "headers_too_large": "The header fields of the request are too large.",
    "internal": "Something went wrong on the hub's or desk's side.",
    "json_invalid": "This is not JSON as the format prescribes it.",
    "key_unknown": "The directory has no such key, or the format no such member.",
    "known_service": "The value is on a guard list.",
    "manifest_version": "The manifest is of a version that is not known here.",
    "mark_unknown": "A stored summary has a mark that does not exist.",
    "media_type_unknown": "The body is of another type than this path takes.",
    "method_not_allowed": "The path exists, but not for this method.",
    "not_found": "There is nothing here for you; absent and forbidden look alike.",
    "onion_gateway": "The domain is a gateway to onion services, so it names no single site.",
    "page_unknown": "The desk has no such page.",
    "payload_version": "The content is of a version that is not known here.",
    "registrar_twice": "The root file names one registrar or key twice.",
    "request_invalid": "The request cannot be read as it is; the wrong members are named.",
    "root_vkey_wrong": "A log key in the root file is not of the prescribed kind, or stands twice.",
    "setting_invalid": "A setting in hub.toml has a wrong value; the name is told.",
    "setting_unknown": "hub.toml has a name without meaning.",
    "table_unknown": "A stored summary names a table that does not exist.",
    "too_many_requests": "Too many requests in a short time.",
    "warninglist": "The value is on a warninglist.",
    "witness_twice": "The root file names one witness or key twice.",
}

STEPS = {
    "already_sent": "Nothing to do.",
    "body_too_large": "Divide it; the limits are in LIMITS.md.",
    "checkpoint_missing": "Wait a second, and ask again.",
    "clock_went_back": "Set the witness's clock; it signs again when the time has passed.",
    "directory_moved": "Send it again.",
    "disk_full": "The operator frees space; then send it again.",
    "feed_busy": "Ask again after Retry-After.",
    "method_not_allowed": "See the Allow field and the interface description.",
    "not_canonical": "Use the value that accord check prints.",
    "port_taken": "Give another --port, or stop the program that has it.",
    "quorum_missing": "Fetch a newer checkpoint; the witnesses may be late.",
    "file_none": "Choose a file.",
    "screening_stopped": "Screen the file again.",
    "storage_failed": "Send it again: the same bytes are never stored twice.",
    "too_many_requests": "Wait as Retry-After says.",
    "witness_refused": "See the witness's own log; receipts wait until it signs.",
    "writer_busy": "Send it again.",
    "writer_closed": "Send it again when the hub is back.",
}

ROOM_STEPS: tuple[tuple[str, str], ...] = (
    ("kernel/indicators/", "Mend the value at its source, or leave the row out."),
    ("desk/intake/", "Mend the file, or export it again."),
    ("kernel/policy/decide", "See on the hub's page `/charter` what is allowed; change the wish."),
    ("kernel/policy/", "Mend the charter before it is signed."),
    ("kernel/tlog/", "Believe nothing of it; keep the file and tell operator and witnesses."),
    ("kernel/directory/", "Fetch it again; if it repeats, tell the registrars by voice."),
    ("kernel/bundle/", "It is not taken in. Ask the sender to seal it again."),
    ("kernel/envelope/", "It is not taken in. Ask the sender to seal it again."),
    ("kernel/statements/", "Make and sign the statement again."),
    ("kernel/", "The bytes are not of the format; ask who made them."),
    ("keyfile", "Use the right key file, or restore it from a backup."),
    ("protocol/", "Make the request again as the format says."),
    ("webbase/", "Make the request again as the page or interface says."),
    ("witness/", "Nothing was signed. See the runbook on log disagreement."),
    ("hub/transparency/", "See the runbook on log disagreement."),
    ("hub/summaries/", "See what the month has: `accord hub summary status MONTH`."),
    ("hub/", "Nothing was accepted. Mend the cause named, and send it again."),
    ("desk/exchange/", "Nothing was taken in. Tell the hub's operator what was seen."),
    ("desk/", "Mend the cause named, and run the command again."),
    ("", "Mend the cause named, and run the command again."),
)

HEAD = """\
# Error codes

Every refusal has a stable code. It stands in brackets at the end of a command's error, in `error.code` of `--json`, in `code` of a problem
document (RFC 9457), and in the report of an export's rows. Programs may rely on codes; the words may change.
This page is made from the source and tested against it.

| kind | exit code | HTTP status |
| --- | --- | --- |
"""

TABLE = """
Codes with a status of their own: {others}. A proxy's own answer becomes `http_<status>`.

Kind *row*: the reason of a row of an export ([all of them](formats/exports-in.md)); codes about values stand there too. `…` is filled in
when it happens. The value seen is told beside it, never a secret.

| code | kind | meaning | next step |
| --- | --- | --- | --- |
"""


def meaning_of(code: Code) -> str:
    """Return one line that says what happened."""
    if code.name in MEANINGS:
        return MEANINGS[code.name]
    if code.messages:
        distinct = list(dict.fromkeys(code.messages))
        return " ".join(_sentence(text) for text in distinct[:2])
    if code.name.endswith("_unknown"):
        return NOT_LISTED
    raise SystemExit(f"no words for {code.name}: add them to MEANINGS")  # noqa: TRY003


def step_of(code: Code) -> str:
    """Return one line that says what to do."""
    if code.name in STEPS:
        return STEPS[code.name]
    if code.next_steps:
        return _sentence(code.next_steps[0])
    if ROW in code.classes:
        return "Look at the row; see the page on exports."
    place = min(code.places)
    return next(step for prefix, step in ROOM_STEPS if place.startswith(prefix))


def _sentence(text: str) -> str:
    text = text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").strip()
    text = text[:1].upper() + text[1:] if not text.startswith(("accord ", "chmod ")) else text
    if text.startswith(("accord ", "chmod ")) and " lists " not in text:
        text = f"`{text}`"
    return text if text[-1] in ".!?…`" else f"{text}."


def page() -> str:
    """Return the whole page."""
    kinds = "".join(
        f"| {KINDS[one.kind.__name__]} | {exit_code_of(one.kind('x', 'x'))} | {one.status} |\n"
        for one in PROBLEMS
    )
    others = ", ".join(f"`{code}` {status}" for code, status in sorted(STATUS_OF_CODE.items()))
    rows = "".join(
        f"| `{code.name}` | {', '.join(KINDS[one] for one in sorted(code.classes)) or 'not now'} | "
        f"{meaning_of(code)} | {step_of(code)} |\n"
        for _, code in sorted(error_codes().items())
    )
    return HEAD + kinds + TABLE.format(others=others) + rows


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
