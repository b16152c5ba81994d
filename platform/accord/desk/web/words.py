"""What codes mean to a person: a plain sentence for each marking, state and standing.

Every table holds every code of its vocabulary (a test compares them); the codes themselves stay
in files and on the wire.
"""

from collections.abc import Mapping

from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.timeline import Step, What, Word
from accord.desk.indicators.questions import How, Match
from accord.desk.indicators.search import EndState
from accord.desk.screening.matching import Via
from accord.desk.storage.drafts import Draft, DraftState
from accord.desk.storage.outbox import OutboxState
from accord.kernel.correspondence.request import Ask
from accord.kernel.correspondence.sighting import Saw
from accord.kernel.errors import AccordError
from accord.kernel.markings import Onward, Tlp
from accord.webbase.texts import gettext

TLP: Mapping[str, str] = {
    Tlp.CLEAR: gettext("It may be made public."),
    Tlp.GREEN: gettext("It may be shared in the community that fights this crime, not in public."),
    Tlp.AMBER: gettext("Only for people in your organisation and its clients who need it."),
    Tlp.AMBER_STRICT: gettext("Only for people in your organisation who need it."),
    Tlp.RED: gettext("Only for the people it was sent to, not for others in your organisation."),
}
"""Who may learn of it (FIRST TLP 2.0)."""

ONWARD: Mapping[str, str] = {
    Onward.NONE: gettext("Do not pass it on to another organisation."),
    Onward.SAME_KIND: gettext("You may pass it on to organisations of the same kind as yours."),
    Onward.LAW_ENFORCEMENT: gettext("You may pass it on to law enforcement, to nobody else."),
    Onward.ASK_FIRST: gettext("Ask the sender before you pass it on."),
}
"""What may happen to it beyond the reader's own organisation."""

ADVICE: Mapping[str, str] = {
    EndState.ACTIVE: gettext("Nobody has taken it back, and its date has not passed."),
    EndState.RETRACTED: gettext(
        "The sender took it back. Do not act on it, remove it from your lists, and tell those "
        "who have it from you."
    ),
    EndState.EXPIRED: gettext("Its date has passed. Ask the sender before you act on it."),
    EndState.SUPERSEDED: gettext("The sender has replaced it. Use the newer bundle."),
    EndState.VISIBILITY_LOST: gettext(
        "The hub no longer delivers it to your organisation, because a membership or the sharing "
        "agreement changed. What is here stays; ask the sender before you act on it."
    ),
    EndState.DISPUTED: gettext(
        "Somebody who has it says that it is wrong. It still stands; ask the sender before you act."
    ),
}
"""What the reader does about each end state of something received."""

STANDING: Mapping[str, str] = {
    Standing.CONFIRMED: gettext("confirmed"),
    Standing.REFUSED: gettext("could not open it: ask them, then send it again"),
    Standing.PENDING: gettext("not confirmed yet: their desk acts next"),
    Standing.OVERDUE: gettext("overdue: call them"),
}
"""How far a recipient is, and who acts next."""

OUTBOX: Mapping[str, str] = {
    OutboxState.SEALED: gettext("Not at the hub yet: this desk sends it as soon as it can."),
    OutboxState.STORED: gettext("Stored at the hub; the witnesses confirm it next."),
    OutboxState.RECEIPTED: gettext("Accepted by the hub, with a receipt from the witnessed log."),
    OutboxState.REFUSED: gettext("The hub refused it: nobody has it. Mend it and send it again."),
}
"""How far a bundle that was sent from here came, and who acts next."""

ASK: Mapping[str, str] = {
    Ask.PRESERVE: gettext("Preserve"),
    Ask.FREEZE: gettext("Freeze"),
    Ask.IDENTIFY: gettext("Identify"),
    Ask.INFORMATION: gettext("More information"),
}
"""What a request asks for."""

NEXT: Mapping[str, str] = {
    "wait": gettext("They act: wait for their answer."),
    "call": gettext("You: call their contact, the deadline has passed."),
    "close": gettext("You: close it, everybody has answered."),
    "acknowledge": gettext("You: say that you have it, or answer."),
    "answer": gettext("You: answer it."),
    "closing": gettext("They act: they close it."),
    "mend": gettext("The hub refused it: mend the cause and ask again."),
    "none": gettext("Nothing is left to do."),
}
"""Who acts next on a request, by the codes of ``standing``."""

WHAT: Mapping[str, str] = {
    What.SEALED: gettext("Sealed and signed at this desk."),
    What.STORED: gettext("Stored by the hub; the witnesses confirm it next."),
    What.HELD: gettext("Held aside by the hub until its operator decides."),
    What.NOT_TAKEN: gettext("Refused by the hub: nobody has it."),
    What.ACCEPTED: gettext("Accepted by the hub, with a receipt that this desk has checked."),
    What.DELIVERED: gettext("Handed to"),
    What.RECEIVED: gettext("Received by"),
    What.OPENED: gettext("Opened by"),
    What.REFUSED: gettext("Could not be opened by"),
    What.SIGHTED: gettext("Feedback of"),
    What.ASKED: gettext("Request of"),
    What.ANSWERED: gettext("Answer of"),
    What.CLOSED: gettext("Request closed by"),
    What.DISPUTED: gettext("Disputed by"),
    What.RETRACTED: gettext("Taken back by you"),
    What.APPLIED: gettext("Recall applied by"),
    What.SUPERSEDED: gettext("Replaced by a newer bundle"),
    What.VISIBILITY_LOST: gettext("No longer delivered"),
    What.TOLD: gettext("The hub says so; no signed bundle here does:"),
    What.EXPIRED: gettext("Its date has passed."),
    What.PURGED: gettext("Its records were deleted here at the end of their retention."),
}
"""What happened to a bundle that was sent from here; who did it comes behind."""

WORD: Mapping[str, str] = {
    Word.OURS: gettext("this desk's own record"),
    Word.SIGNED: gettext("signed by them"),
    Word.LOG: gettext("the hub's log, under its witnesses"),
    Word.HUB: gettext("the hub's word, signed by nobody"),
}
"""Whose word that is."""

STEP: Mapping[str, str] = {
    Step.MEND: gettext("You: mend what the hub refused, and send it again."),
    Step.RELEASE: gettext("The hub's operator: lets it go, or drops it."),
    Step.SEND: gettext("This desk: sends it as soon as it can."),
    Step.WITNESS: gettext("The witnesses: confirm the hub's log."),
    Step.CALL: gettext("You: call them, the recall is overdue:"),
    Step.ANSWER: gettext("You: answer the request of"),
    Step.CHECK: gettext("You: check what is disputed, take it back or say why it stands. By"),
    Step.RESEND: gettext("You: ask why it could not be opened, and send it again:"),
    Step.APPLY: gettext("They apply the recall:"),
    Step.OPEN: gettext("They open it; their desks do so when they fetch it:"),
    Step.COMPARE: gettext("They compare it with their own data:"),
    Step.NOTHING: gettext("Nothing is left to do."),
}
"""Who acts next on a bundle that was sent from here, and how."""

SAW: Mapping[str, str] = {
    Saw.SEEN: gettext("seen"),
    Saw.NOT_SEEN: gettext("not seen"),
    Saw.FALSE_POSITIVE: gettext("says that it is wrong"),
    Saw.OUTDATED: gettext("says that it no longer holds"),
    Saw.HELPFUL: gettext("says that it helped"),
}
"""What a recipient says of a record."""

HOW: Mapping[str, str] = {
    How.VALUES: gettext("Whole values; a domain also finds what lies below it"),
    How.PREFIX: gettext("The beginning of a value"),
    How.NOTE: gettext("Words of a note, all of them"),
}
"""How a search looks."""

MATCH: Mapping[str, str] = {
    Match.VALUE: gettext("the value itself:"),
    Match.ALIAS: gettext("under another form of it:"),
    Match.SUBDOMAIN: gettext("below it:"),
    Match.MOVE: gettext("a move of this wallet names it:"),
    Match.PREFIX: gettext("begins so:"),
    Match.NOTE: gettext("its note says so:"),
}
"""Why a record answers a search."""

SEARCH_STEPS: Mapping[str, tuple[str, str]] = {
    "search_empty": ("values", gettext("Enter at least one value.")),
    "search_many": ("values", gettext("Split the list and search twice.")),
    "reason_missing": ("reason", gettext("Say why you search, for example a case number.")),
    "reason_long": ("reason", gettext("Shorten the reason.")),
    "how_unknown": ("how", gettext("Choose how to look.")),
}
"""The form's field that is at fault, and what to do there."""


WATCH_STEPS: Mapping[str, tuple[str, str]] = {
    "empty": ("value", gettext("Enter a value.")),
    "reason_missing": ("reason", gettext("Say why you watch, for example a case number.")),
    "reason_long": ("reason", gettext("Shorten the reason.")),
    "watch_period": ("days", gettext("Enter a number of days.")),
    "network_needed": ("network", gettext("Choose the network.")),
    "network_mismatch": ("network", gettext("Choose the network that the value has.")),
}
"""The field of the watch form that is at fault, and what to do there."""


SCREENING_STEPS: Mapping[str, tuple[str | None, str]] = {
    "file_none": ("file", gettext("Choose a file.")),
    "reason_missing": ("reason", gettext("Say why you screen, for example the monthly check.")),
    "reason_long": ("reason", gettext("Shorten the reason.")),
    "network_unknown": ("network", gettext("Choose a network of the list.")),
    "value_column_unclear": (None, gettext("Name the columns that hold values in the form.")),
    "encoding_unknown": (None, gettext("Name another encoding in the form.")),
    "lists_none": (None, gettext("Look in the inbox; TLP:RED is used only when you ask for it.")),
    "report_unwritable": (None, gettext("Free space on this computer, then screen it again.")),
    "screening_stopped": (None, gettext("Screen the file again.")),
}
"""The field of the screening form that is at fault, and what to do there."""

VIA: Mapping[str, str] = {
    Via.VALUE: gettext("the value itself"),
    Via.ALIAS: gettext("another form of it"),
    Via.HOST: gettext("a link on it"),
    Via.SUBDOMAIN: gettext("below it"),
}
"""Why a cell matches a listed record."""


def screening_step(error: AccordError) -> tuple[str | None, str | None]:
    """Return the field of the screening form that ``error`` is about, and the next step in it."""
    return SCREENING_STEPS.get(error.code, (None, error.next_step))


def watch_step(error: AccordError) -> tuple[str | None, str | None]:
    """Return the field of the watch form that ``error`` is about, and the next step in it."""
    return WATCH_STEPS.get(error.code, (None, error.next_step))


def search_step(error: AccordError) -> tuple[str | None, str | None]:
    """Return the field of the search form that ``error`` is about, and the next step in it."""
    return SEARCH_STEPS.get(error.code, (None, error.next_step))


def spaced(code: str) -> str:
    """Return a code of a closed vocabulary as words: ``law-enforcement`` → ``law enforcement``."""
    return code.replace("-", " ").replace("_", " ")


DRAFT = {
    "waiting": gettext("waits for a second person"),
    "sent": gettext("approved and sent"),
    "unsent": gettext("approved, and NOT sent in full"),
    "refused": gettext("refused"),
}


def draft_state(draft: Draft) -> str:
    """Say where a draft stands; of an approved one whether it went."""
    if draft.state is DraftState.APPROVED:
        return DRAFT["unsent" if draft.unsent else "sent"]
    return DRAFT[draft.state]
