"""How what came of a bundle looks in ``--json`` and in a line: timeline, counts, exports."""

from typing import Any

from accord.clock import moment
from accord.desk.exchange.recalls import RecallHere
from accord.desk.exchange.timeline import Event, Progress, Step, What, Word
from accord.desk.storage.exports import ExportEntry

STEPS = {
    Step.MEND: "you mend what the hub refused, and send it again",
    Step.RELEASE: "the hub's operator lets it go or drops it",
    Step.SEND: "this desk sends it as soon as it can (accord pull does it at once)",
    Step.WITNESS: "the witnesses cosign the hub's log",
    Step.CALL: "you call {orgs}: the recall is overdue (accord contacts)",
    Step.ANSWER: "you answer the request of {orgs} (accord requests)",
    Step.CHECK: "you check what {orgs} disputes: take it back, or say why it stands",
    Step.RESEND: "you ask {orgs} why it could not be opened, and send it again",
    Step.APPLY: "{orgs} apply the recall",
    Step.OPEN: "{orgs} open it: their desks do so when they fetch it",
    Step.COMPARE: "{orgs} compare it with their own data",
    Step.NOTHING: "nothing is left to do",
}
"""What is to be done next, in words."""

WORDS = {
    Word.OURS: "our own record",
    Word.SIGNED: "signed by them",
    Word.LOG: "the hub's log, under witnesses",
    Word.HUB: "the hub says so, unsigned",
}
"""Whose word an event is."""

WHAT = {
    What.SEALED: "sealed and signed here",
    What.STORED: "stored by the hub",
    What.HELD: "held aside by the hub",
    What.NOT_TAKEN: "refused by the hub",
    What.ACCEPTED: "accepted by the hub, with a receipt",
    What.DELIVERED: "handed to {org}",
    What.RECEIVED: "received by {org}",
    What.OPENED: "opened by {org}",
    What.REFUSED: "could not be opened by {org}",
    What.SIGHTED: "{org} says",
    What.ASKED: "{org} asks",
    What.ANSWERED: "{org} answered",
    What.CLOSED: "{org} closed its request",
    What.DISPUTED: "disputed by {org}",
    What.RETRACTED: "taken back",
    What.APPLIED: "the recall was applied by {org}",
    What.SUPERSEDED: "replaced",
    What.VISIBILITY_LOST: "no longer delivered",
    What.TOLD: "no signed bundle here says so",
    What.EXPIRED: "expired",
    What.PURGED: "deleted here at the end of its retention",
}
"""What happened; ``{org}`` is who did it."""


def event_data(event: Event) -> dict[str, Any]:
    """Return an event; keys that do not apply are ``null``, ``records`` 0 is the whole bundle."""
    return {
        "at": event.at,
        "what": event.what.value,
        "word": event.word.value,
        "org": event.org,
        "code": event.code,
        "note": event.note,
        "records": event.records,
        "record": event.record,
        "count": event.count,
        "period": event.period,
        "by": event.by,
        "by_org": event.by_org,
        "index": event.index,
    }


def event_line(event: Event) -> str:
    """Return an event in one line: when, what, and whose word it is."""
    parts = [WHAT[event.what].format(org=event.org or "us")]
    if event.code:
        parts.append(event.code)
    if event.record is not None:
        parts.append(f"record {event.record}")
    elif event.records:
        parts.append(f"{event.records} records")
    if event.count is not None and event.period is not None:
        parts.append(f"count {event.count} in a {event.period}")
    if event.index is not None:
        parts.append(f"log entry {event.index}")
    if event.note:
        # A hub's words may hold anything at all, also control characters for this terminal.
        parts.append("".join(one if one.isprintable() else "?" for one in event.note))
    return f"  {moment(event.at)}  {', '.join(parts)} ({WORDS[event.word]})"


def progress_data(progress: Progress) -> dict[str, Any]:
    """Return how far a bundle came, in counts of organisations."""
    return {
        "recipients": progress.recipients,
        "opened": progress.opened,
        "applied": progress.applied,
        "refused": progress.refused,
        "silent": progress.silent,
        "matched": progress.matched,
        "unmatched": progress.unmatched,
        "wrong": progress.wrong,
        "outdated": progress.outdated,
        "helpful": progress.helpful,
        "requests": progress.requests,
        "waiting": progress.waiting,
        "recalled": progress.recalled,
        "next": {
            "actor": progress.actor.value,
            "step": progress.step.value,
            "orgs": list(progress.orgs),
        },
    }


def progress_line(progress: Progress) -> str:
    """Return how far a bundle came in one line, and who acts next."""
    told = (
        (progress.applied, "applied the recall"),
        (progress.refused, "could not open it"),
        (progress.matched, "match"),
        (progress.unmatched, "no match"),
        (progress.wrong, "say it is wrong"),
        (progress.outdated, "say it is outdated"),
        (progress.helpful, "were helped"),
        (progress.requests, "requests"),
    )
    parts = [f"opened by {progress.opened} of {progress.recipients}"]
    parts += [f"{count} {words}" for count, words in told if count]
    return f"{', '.join(parts)}; next: {next_words(progress)}"


def next_words(progress: Progress) -> str:
    """Say who acts next."""
    return STEPS[progress.step].format(orgs=", ".join(progress.orgs))


def export_data(entry: ExportEntry) -> dict[str, Any]:
    """Return an export that holds a record: who took it, when, as what, for whom."""
    return {
        "no": entry.no,
        "at": entry.at,
        "person": entry.person or None,
        "form": entry.form,
        "audience": entry.audience,
        "purpose": entry.purpose,
        "reason": entry.reason,
        "records": entry.records,
        "sha256": None if entry.sha256 is None else entry.sha256.hex(),
    }


def export_line(entry: ExportEntry) -> str:
    """Return an export in one line: whom to call back."""
    if entry.sha256 is None:
        return f"  {moment(entry.at)}  tools that read this desk's feeds: told by the feed itself"
    return (
        f"  {moment(entry.at)}  {entry.person} took it as {entry.form} for {entry.audience} "
        f"({entry.purpose}: {entry.reason}; export {entry.no})"
    )


def recall_here_data(recall: RecallHere) -> dict[str, Any]:
    """Return a recall that arrived, with the exports of this desk that hold what it takes back."""
    return {
        "id": recall.id,
        "org": recall.org,
        "original": recall.original,
        "reason": recall.reason,
        "note": recall.note,
        "deadline": recall.deadline,
        "sent": recall.sent,
        "records": list(recall.records),
        "here": recall.here,
        "exports": [export_data(one) for one in recall.exports],
    }


def recall_here_lines(recall: RecallHere) -> list[str]:
    """Return a recall that arrived in lines: what it took back, and who has it from here."""
    what = f"{len(recall.records)} records" if recall.records else "all"
    said = f"{recall.org} took back {what} of {recall.original}: {recall.reason} ({recall.id})"
    lines = [f"{moment(recall.sent)}  {said}"]
    if not recall.here:
        return [*lines, "  The bundle that it names is not here."]
    lines += [export_line(one) for one in recall.exports]
    if not recall.exports:
        lines.append("  No export of this desk holds it: nobody is to be called back.")
    elif recall.files:
        lines.append("  Next: you call them back, and remove it from their lists.")
    return lines
