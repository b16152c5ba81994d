"""Four eyes: what one person lays aside, another one lets go, and exactly that is sent.

Invariants: the digest is over recipients, marking and every record line; approving names the
digest that was read, so a draft that changed is another draft; the maker never approves; the lines
that are sealed are the draft's own, byte for byte. Nothing has left this computer before that. What
the recipients have already goes once more with a reason only. A request, answer, sighting or notice
waits as records do; a recall never waits.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from accord.clock import Clock
from accord.desk.exchange.correspondence import Correspondence
from accord.desk.exchange.letters import LETTERS, Letter
from accord.desk.exchange.submission import Plan, SendReport, SentBundle, Submissions
from accord.desk.indicators import sent_again
from accord.desk.storage import Vault
from accord.desk.storage.drafts import (
    MAX_DRAFT,
    Draft,
    DraftState,
    add_draft,
    decide_draft,
    draft_lines,
    find_draft,
)
from accord.desk.storage.journal import Act, record_act_in, says_why
from accord.desk.storage.outbox import finished_source, only_sender, submissions_of
from accord.kernel.bundle.model import MAX_REFS, HandlingPolicy
from accord.kernel.encoding import (
    dump_object,
    parse_object,
    require_int,
    require_list,
    require_str,
)
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import Conflict, Refused, VerificationFailed
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp, parse_code

MAX_PLAN = 256 * 1024

_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """The verbs on drafts of one desk."""

    vault: Vault
    submissions: Submissions
    letters: Correspondence
    clock: Clock

    def submit(self, letter: Letter, *, maker: str) -> SentBundle | Draft:
        """Send a letter, or lay it aside where a second person approves first.

        Raises:
            As ``Correspondence.post`` and ``make``.
        """
        if self.submissions.needs_approval(letter.plan):
            return self.make(letter.plan, letter.lines, maker=maker)
        return self.letters.post(letter)

    def make(self, plan: Plan, lines: Sequence[bytes], *, maker: str) -> Draft:
        """Lay records, or the lines of a letter, aside until somebody else approves.

        Raises:
            Refused: the charter's code when approval would not help; ``draft_empty``,
                ``draft_large``.
        """
        self.submissions.decide(replace(plan, approved=True)).require()
        if not lines or sum(map(len, lines)) + len(lines) > MAX_DRAFT:
            raise Refused(
                "draft_large" if lines else "draft_empty",
                f"A draft holds at least one record and at most {MAX_DRAFT} bytes of them.",
                observed=f"{len(lines)} records",
                next_step="Split the file." if lines else "See which rows were refused.",
            )
        described = format_plan(plan, secrets.token_hex(8))
        digest = digest_of(described, lines)
        now = self.clock()
        with self.vault.transaction() as connection:
            no = add_draft(
                connection,
                at=now,
                maker=maker,
                name=plan.name or "",
                plan=described,
                lines=lines,
                digest=digest,
            )
            record_act_in(
                connection,
                person=maker,
                act=Act.DRAFT_MAKE,
                subject=f"draft {no} sha256={digest.hex()}",
                reason="",
                now=now,
            )
        return find_draft(self.vault, no)

    def approve(
        self, no: int, *, person: str, digest: bytes | None = None, again: str | None = None
    ) -> SendReport:
        """Let a draft go, and send it. Sending an approved one again finishes what was cut off.

        Args:
            no: the draft's number.
            person: who approves, signed in.
            digest: that of the draft that was read; ``None`` takes the one that is there.
            again: why values go that were sent to the same recipients before, by another draft
                or without one; ``None`` refuses them.

        Raises:
            Refused: ``own_draft``; ``draft_decided`` when it was refused or is sent already; the
                charter's code; ``reason_missing`` when ``again`` says nothing.
            Conflict: ``draft_changed``; ``draft_duplicate``.
            VerificationFailed: ``draft_damaged``.
        """
        draft = find_draft(self.vault, no)
        reason = _reason(again, "What was sent before goes again") if again is not None else ""
        lines = self._checked(draft, person, digest)
        plan = replace(parse_plan(draft.plan), approved=True, source=draft.digest, name=draft.name)

        def first() -> None:
            # While nobody else can send: of two drafts of one file, the second finds the first.
            if finished_source(self.vault, draft.digest) is not None:
                raise _decided(draft)
            if plan.kind not in LETTERS and not (reason or draft.reason):
                self._refuse_repeats(draft, plan, lines)
            if draft.state is DraftState.WAITING:
                self._decide(draft, DraftState.APPROVED, Act.DRAFT_APPROVE, person, reason=reason)

        if plan.kind not in LETTERS:
            return self.submissions.send_encoded(plan, _records(lines), first=first)
        sent = self.letters.post(Letter(plan=plan, lines=tuple(lines)), first=first)
        return SendReport(bundles=(sent,), records=sent.n, repeated=0, resumed=False)

    def refuse(self, no: int, *, person: str, reason: str) -> Draft:
        """Refuse a draft, or take one's own back; its records are deleted.

        An approved one can be refused as long as nothing of it was sealed.

        Raises:
            Refused: ``reason_missing``, ``draft_decided``.
            Unavailable: ``sender_busy``.
        """
        said = _reason(reason, "A draft is refused")
        with only_sender(self.vault):
            draft = find_draft(self.vault, no)
            if draft.state is DraftState.REFUSED or submissions_of(self.vault, draft.digest):
                raise _decided(draft)
            self._decide(draft, DraftState.REFUSED, Act.DRAFT_REFUSE, person, reason=said)
        return find_draft(self.vault, no)

    def _refuse_repeats(self, draft: Draft, plan: Plan, lines: Sequence[bytes]) -> None:
        """Refuse values that these recipients have; what this draft itself has sent is resumed."""
        own = submissions_of(self.vault, draft.digest)
        count, before = sent_again(self.vault, lines, plan.recipients, but=own)
        if before is not None:
            raise Conflict(
                "draft_duplicate",
                "Values of this draft have been sent to these recipients already.",
                observed=f"{count} of {draft.n} records, one of them in bundle {before.bundle}",
                next_step="Refuse the draft; or send them once more with --again and --reason.",
            )

    def _checked(self, draft: Draft, person: str, digest: bytes | None) -> list[bytes]:
        if draft.maker == person:
            raise Refused(
                "own_draft",
                "Whoever made a draft cannot approve it.",
                observed=person,
                next_step="Ask a colleague to look at it.",
            )
        if digest not in (None, draft.digest):
            raise Conflict(
                "draft_changed",
                "The draft is not the one that you read.",
                next_step="Read it again.",
            )
        gone = finished_source(self.vault, draft.digest) is not None
        if draft.state is DraftState.REFUSED or gone:
            raise _decided(draft)
        lines = draft_lines(self.vault, draft.no)
        if digest_of(draft.plan, lines) != draft.digest:
            raise VerificationFailed(
                "draft_damaged",
                "The records of the draft are not those that were laid aside.",
                observed=f"draft {draft.no}",
                next_step="Refuse it, and submit the file again.",
            )
        return lines

    def _decide(
        self, draft: Draft, state: DraftState, act: Act, person: str, *, reason: str
    ) -> None:
        now = self.clock()
        with self.vault.transaction() as connection:
            if not decide_draft(connection, draft, state, by=person, at=now, reason=reason):
                raise _decided(draft)
            record_act_in(
                connection,
                person=person,
                act=act,
                subject=f"draft {draft.no} sha256={draft.digest.hex()}",
                reason=reason,
                now=now,
            )


def _reason(text: str, what: str) -> str:
    said = text.strip()
    if not says_why(said):
        raise Refused(
            "reason_missing",
            f"{what} with a stated reason, in one line.",
            next_step="Give --reason.",
        )
    return said


def _decided(draft: Draft) -> Refused:
    return Refused(
        "draft_decided",
        "This draft does not wait any more.",
        observed=f"draft {draft.no}",
        next_step="accord drafts --all tells who decided.",
    )


def digest_of(plan: bytes, lines: Sequence[bytes]) -> bytes:
    """Return SHA-256 over the plan's length and bytes, and each line with LF."""
    found = hashlib.sha256(b"accord/1/draft\0" + len(plan).to_bytes(4, "big") + plan)
    for line in lines:
        found.update(line + b"\n")
    return found.digest()


def _records(lines: Sequence[bytes]) -> Iterator[tuple[IndicatorRecord, bytes]]:
    for line in lines:
        yield _decode(line), line


def format_plan(plan: Plan, draft: str) -> bytes:
    """Return what is approved beside the records: to whom, and how it may be handled.

    ``draft`` tells two drafts of the same content apart, so that each is sent once.
    """
    obj: dict[str, object] = {
        "draft": draft,
        "recipients": list(plan.recipients),
        "kind": plan.kind.value,
        "tlp": plan.policy.tlp.value,
        "purpose": plan.policy.purpose.value,
        "legal_basis": plan.policy.legal_basis.value,
        "onward": plan.policy.onward.value,
        "expires": plan.expires,
        "title": plan.head.title,
    }
    if plan.refs:
        obj["refs"] = list(plan.refs)
    return dump_object(obj)


def parse_plan(data: bytes) -> Plan:
    """Return the plan of a draft.

    Raises:
        Malformed: it is damaged.
    """
    obj = parse_object(data, limit=MAX_PLAN)
    refs = require_list(obj, "refs", maximum=MAX_REFS) if "refs" in obj else []
    return Plan(
        recipients=tuple(parse_org_id(one) for one in require_list(obj, "recipients", maximum=512)),
        kind=parse_code(BundleKind, obj["kind"], code="kind_unknown"),
        policy=HandlingPolicy(
            tlp=parse_code(Tlp, obj["tlp"], code="tlp_unknown"),
            purpose=parse_code(Purpose, obj["purpose"], code="purpose_unknown"),
            legal_basis=parse_code(LegalBasis, obj["legal_basis"], code="legal_basis_unknown"),
            onward=parse_code(Onward, obj["onward"], code="onward_unknown"),
        ),
        expires=require_int(obj, "expires"),
        head=PayloadHead(title=require_str(obj, "title", limit=200)),
        refs=tuple(parse_bundle_id(one) for one in refs),
    )
