"""The sending half of ``accord submit``: the charter first, then rows to bundles to receipts.

Rows that are ready go; refused and held ones stay here and are reported. A row that is marked more
strictly than the bundle stops the sending before its part is sealed.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.cli.addressing import confirmed_recipients
from accord.desk.cli.drafts import draft_data
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.cli.presets import read_preset
from accord.desk.cli.signed_in import maker_of
from accord.desk.cli.submit_report import DryRun, error_data, nothing_left, outcome_of
from accord.desk.config import FILE
from accord.desk.exchange.correspondence import USUAL_BASIS
from accord.desk.exchange.submission import Encoded, Plan, SendReport, SentBundle
from accord.desk.indicators import Sought, already_sent, anything_sent
from accord.desk.intake.guard_register import pinned_lists, write_copy
from accord.desk.intake.results import RowResult
from accord.desk.intake.service import Intake, IntakeOptions, read_export
from accord.desk.storage.bundles import known_values
from accord.desk.storage.digests import file_digest
from accord.desk.storage.drafts import Draft
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import outbox_row
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import AuthenticationNeeded, Refused
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp
from accord.terminal import Partly, Terminal

DEFAULT_DAYS = 180
DAY = 86_400
SHOWN_ROWS = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the sender says of the bundle; ``expires_days`` counts from now.

    What is not said comes from the ``preset``. ``login`` is the maker's account, where a second
    person has to approve.
    """

    to: tuple[str, ...]
    tlp: Tlp | None
    purpose: Purpose | None
    legal_basis: LegalBasis | None
    onward: Onward | None
    preset: str | None
    login: str | None
    password_file: Path | None
    release_reason: str | None
    title: str | None
    expires_days: int | None
    kind: BundleKind = BundleKind.INDICATORS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Files to write beside: every row's result, and the refused rows to mend."""

    records: Path | None
    refused: Path | None


def send_export(
    terminal: Terminal, file: Path, options: IntakeOptions, wishes: Wishes, *, outputs: Outputs
) -> None:
    """Check, seal, send and report.

    Raises:
        AuthenticationNeeded: ``not_enrolled``.
        Refused: the charter's code, or ``tlp_too_wide``.
        Unavailable: the hub cannot be reached; what is sealed waits and goes with the next command.
    """
    if not (options.home is not None and (options.home / FILE).exists()):
        raise AuthenticationNeeded(
            "not_enrolled",
            "This computer has no desk yet, so nothing can be sealed or sent.",
            next_step="Run accord desk init, then accord desk enrol; --dry-run needs neither.",
        )
    with opened_desk(terminal) as desk:
        plan = _plan(terminal, desk, file, _filled(desk, wishes))
        approval = desk.submissions.needs_approval(plan)
        maker = maker_of(desk, wishes.login, wishes.password_file) if approval else ""
        _note_release(desk, file, options, wishes)
        known = _SentBefore(desk, plan)
        write_copy(desk.vault, desk.config.home)
        pinned = pinned_lists(desk.vault)
        intake = read_export(file, dataclasses.replace(options, already_sent=known, pinned=pinned))
        report = DryRun(intake, file.name)
        with terminal.progress("rows") as counter:
            blocks = report.blocks(records=outputs.records, refused=outputs.refused)
            encoded = _records(blocks, intake, plan.policy.tlp, counter.advance)
            if approval:
                draft = desk.drafts.make(plan, [line for _, line in encoded], maker=maker)
                _laid_aside(terminal, draft, report, desk.submissions.opened_by(plan))
                outcome_of(intake.totals, None)
                return
            sent = desk.submissions.send_encoded(
                plan, encoded, on_bundle=lambda bundle: terminal.say(_told(bundle))
            )
        receipts = _write_receipts(desk, sent)
    nothing = nothing_left(intake.totals, taken_up=sent.resumed and bool(sent.bundles))
    data = report.data() | _data(sent, receipts, plan) | error_data(nothing)
    terminal.result(data, report.human(sent=bool(sent.bundles)) + "\n" + _words(sent, plan))
    outcome_of(intake.totals, nothing)
    if not sent.complete:
        raise Partly


def _note_release(desk: Desk, file: Path, options: IntakeOptions, wishes: Wishes) -> None:
    """Write down, before anything goes, which held rows a person lets go, and why."""
    if not options.released:
        return
    rows = ", ".join(map(str, sorted(options.released)[:SHOWN_ROWS]))
    record_act(
        desk.vault,
        person=wishes.login or person_here(),
        act=Act.BUNDLE_RELEASE,
        subject=f"{file.name[:80]}: {len(options.released)} held rows: {rows}",
        reason=(wishes.release_reason or "").strip(),
        now=desk.clock(),
    )


def _filled(desk: Desk, wishes: Wishes) -> Wishes:
    """Return the wishes with what a preset says where the sender says nothing."""
    if wishes.preset is None:
        return wishes
    kept = read_preset(desk, wishes.preset)
    basis = kept.get("legal_basis")
    return dataclasses.replace(
        wishes,
        to=wishes.to or tuple(kept["to"]),
        tlp=wishes.tlp or Tlp(kept["tlp"]),
        purpose=wishes.purpose or Purpose(kept["purpose"]),
        legal_basis=wishes.legal_basis or (LegalBasis(basis) if basis else None),
        onward=wishes.onward or Onward(kept["onward"]),
    )


def _laid_aside(terminal: Terminal, draft: Draft, report: DryRun, opened_by: str) -> None:
    data = draft_data(draft)
    empty = {"records": 0, "repeated": 0, "resumed": False, "complete": False}
    terminal.result(
        report.data()
        | {"sent": empty | {"recipients": data["recipients"]}, "bundles": [], "draft": data},
        f"{report.human()}\nDraft {draft.no} waits for a second person. {opened_by}\n"
        f"Next, a colleague: accord approve {draft.no} --as THEIR-ACCOUNT",
    )


def _plan(terminal: Terminal, desk: Desk, file: Path, wishes: Wishes) -> Plan:
    recipients = confirmed_recipients(terminal, desk, wishes.to)
    kind = desk.mirror.recent([desk.org]).organisation(desk.org).profile.kind
    now = desk.clock()
    if wishes.tlp is None or wishes.purpose is None:
        raise Refused("wishes_missing", "A bundle has a marking and a purpose.")
    return Plan(
        recipients=recipients,
        policy=HandlingPolicy(
            tlp=wishes.tlp,
            purpose=wishes.purpose,
            legal_basis=wishes.legal_basis or USUAL_BASIS.get(kind, LegalBasis.LEGITIMATE_INTEREST),
            onward=wishes.onward or Onward.NONE,
        ),
        expires=now + DAY * (wishes.expires_days or DEFAULT_DAYS),
        head=PayloadHead(title=wishes.title or f"Indicators of {desk.org}"),
        kind=wishes.kind,
        source=file_digest(file),
        name=file.name,
    )


class _SentBefore:
    """Says of value keys when and in which bundle these recipients got them before.

    Asked for the first time when nobody else can send any more; a desk that had sent nothing to
    them by then need not look anything up: repeats within the file are told apart anyway.
    """

    def __init__(self, desk: Desk, plan: Plan) -> None:
        self._vault = desk.vault
        self._recipients = plan.recipients
        self._any: bool | None = None

    def __call__(self, keys: Sequence[bytes]) -> list[str | None]:
        if self._any is None:
            self._any = anything_sent(self._vault, self._recipients)
        answers: list[str | None] = [None] * len(keys)
        if not self._any:
            return answers
        parts = [key.decode("utf-8").split("|", 2) for key in keys]
        values = [rest.rpartition("|")[0] for _, _, rest in parts]
        known = [place for place, was in enumerate(known_values(self._vault, values)) if was]
        sought = [
            Sought(
                kind=parts[place][0],
                network=parts[place][1],
                value=values[place],
                memo=parts[place][2].rpartition("|")[2],
            )
            for place in known
        ]
        before = already_sent(self._vault, sought, self._recipients)
        for place, one in zip(known, before, strict=True):
            if one is not None:
                answers[place] = f"Sent on {moment(one.created)} in bundle {one.bundle}."
        return answers


def _records(
    blocks: Iterator[list[RowResult]],
    intake: Intake,
    tlp: Tlp,
    advance: Any,  # noqa: ANN401
) -> Iterator[Encoded]:
    for results in blocks:
        _refuse_wider(intake, tlp)
        advance(len(results))
        for result in results:
            if result.record is not None and result.record_line is not None:
                yield result.record, result.record_line


def _refuse_wider(intake: Intake, tlp: Tlp) -> None:
    """Refuse to send under a wider marking than a row of the file itself carries.

    Raises:
        Refused: ``tlp_too_wide``.
    """
    strictest = intake.totals.strictest_tlp
    if strictest is not None and strictest.rank > tlp.rank:
        raise Refused(
            "tlp_too_wide",
            "Rows of this file are marked more strictly than the bundle would be.",
            observed=strictest.value,
            next_step=f"Use --tlp {strictest.value}, or --map COLUMN=ignore for that column.",
        )


def _write_receipts(desk: Desk, sent: SendReport) -> dict[str, str]:
    folder = desk.config.home / "receipts"
    files: dict[str, str] = {}
    for bundle in sent.bundles:
        row = outbox_row(desk.vault, bundle.id)
        if row is not None and row.receipt is not None:
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / f"{bundle.id}.tlog-proof"
            path.write_bytes(row.receipt)
            files[bundle.id] = str(path)
    return files


def _data(sent: SendReport, receipts: dict[str, str], plan: Plan) -> dict[str, Any]:
    return {
        "sent": {
            "records": sent.records,
            "repeated": sent.repeated,
            "resumed": sent.resumed,
            "complete": sent.complete,
            "recipients": list(plan.recipients),
        },
        "bundles": [
            {
                "id": bundle.id,
                "records": bundle.n,
                "bytes": bundle.size,
                "state": bundle.state.value,
                "index": bundle.log_index,
                "code": bundle.code,
                "receipt": receipts.get(bundle.id),
            }
            for bundle in sent.bundles
        ],
    }


def _told(bundle: SentBundle) -> str:
    return f"Bundle {bundle.id}: {bundle.n:,} records, {bundle.state.value}."


def _words(sent: SendReport, plan: Plan) -> str:
    if not sent.bundles:
        return "Nothing new to send."
    names = ", ".join(plan.recipients)
    count = len(sent.bundles)
    text = f"Sent {sent.records:,} records in {count} bundle{'s'[: count > 1]} to {names}."
    if sent.repeated:
        text += f" {sent.repeated:,} records had been sealed before and were not sent twice."
    return text + (
        " Receipts are verified." if sent.complete else " Some receipts are still to come."
    )
