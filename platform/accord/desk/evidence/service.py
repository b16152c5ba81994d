"""Make one file of evidence.

Order of work, numbered in the code: (1) the value is looked up, which is journalled as a search,
and must lead to one record; (2) its marking lets it out; (3) the hub's proof of acceptance and the
directory are at hand; (4) the disclosure is cut from the bundle: this record and nothing of the
others; (5) the desk signs what it says of it, unless the same file was made before; (6) the whole
is checked as a stranger would; (7) it is written down; only then the bytes are handed out.

The same question on the same facts gives the same bytes: what was signed is kept, not the file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from accord.desk.evidence.comparison import README, VERIFIER
from accord.desk.evidence.custody import Done, Shown, shown
from accord.desk.evidence.report import TEMPLATE, Facts, report_pdf, standing_words, witnesses_of
from accord.desk.indicators import search
from accord.desk.indicators.questions import Match
from accord.desk.indicators.search import Hit, check_reason, end_states
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import find_bundle, lines_of, marks_of, quarantined_of
from accord.desk.storage.evidence import (
    KeptEvent,
    MadeBefore,
    acceptance_of,
    acts_of_exports,
    add_evidence,
    done_with,
    made_before,
    subject_of,
)
from accord.desk.storage.exports import who_took
from accord.desk.storage.journal import Act, record_act_in
from accord.desk.storage.mirror import latest_checkpoint, leaves
from accord.kernel.bundle.content import content_path, record_salts
from accord.kernel.bundle.model import parse_header
from accord.kernel.directory.rootfile import LogName, RootFile, verify_root
from accord.kernel.directory.state import DirectoryState
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.encoding import dump_object
from accord.kernel.envelope.payload import parse_head
from accord.kernel.errors import Conflict, NotFound, Refused
from accord.kernel.evidence import archive
from accord.kernel.evidence.custody import EXPORTED, LOOKED, MADE
from accord.kernel.evidence.place import format_place
from accord.kernel.evidence.statement import (
    MAX_CUSTODY,
    MAX_WORDS,
    Custody,
    Statement,
    listed,
    parse_signed,
    sign_statement,
)
from accord.kernel.evidence.timestamp import verify_token
from accord.kernel.evidence.verification import VerifiedEvidence, join_entries, verify_evidence
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import Tlp
from accord.kernel.tlog.leaf import parse_record
from accord.kernel.tlog.proof import format_proof, parse_proof

USUAL_REASON = "evidence"
MAX_SHOWN = 10

DONE: Mapping[str, str] = {Act.BUNDLE_VIEW.value: LOOKED, Act.EVIDENCE_MAKE.value: MADE}
"""Acts that are custody, in words; others about a bundle (a retraction) show in the states."""

_HOLDS = frozenset({Match.VALUE, Match.ALIAS})
"""A record below the domain, or one that mentions the value in a move, is about something else."""

_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who makes a file, and what their desk trusts.

    Attributes:
        org, signing: the organisation and its signing key.
        person: who asks.
        reason: why, in one line.
        roots: root files as signed bytes, oldest first.
        directory: the replayed directory.
        now: unix seconds.
    """

    org: OrgId
    signing: SigningKeyPair
    person: str
    reason: str
    roots: Sequence[bytes]
    directory: DirectoryState
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of what evidence is made.

    Attributes:
        value: a value as typed.
        org, bundle, record: which of several records that hold it; two senders may use one id.
        red: TLP:RED was asked for by name.
        token: a time-stamp token over the sender's signatures, made elsewhere.
    """

    value: str
    org: OrgId | None = None
    bundle: str | None = None
    record: int | None = None
    red: bool = False
    token: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeEvidence:
    """A finished file: its number here, its bytes, what they show; ``again``: made before."""

    no: int
    data: bytes
    shows: VerifiedEvidence
    again: bool

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).digest()


def make_evidence(vault: Vault, wanted: Wanted, maker: Maker) -> MadeEvidence:
    """Return a file of evidence of the record that holds a value.

    Raises:
        Malformed: ``reason_missing``, ``reason_long``, or what is wrong with the value.
        NotFound: ``evidence_none``.
        Refused: ``evidence_ambiguous``, ``evidence_red``, ``evidence_gone``,
            ``acceptance_missing``, ``acceptance_old``.
        VerificationFailed: the token, or anything else, does not hold.
    """
    check_reason(maker.reason, "Evidence", most=MAX_WORDS)
    hit = _one_hit(vault, wanted, maker)  # (1)
    bundle = find_bundle(vault, hit.bundle, hit.org)
    if Tlp(bundle.tlp) is Tlp.RED and not wanted.red:  # (2)
        raise Refused(
            "evidence_red",
            "TLP:RED is for the named people only; it goes into no file unless asked for by name.",
            next_step="If a court is to have it: --tlp red.",
        )
    making = _Making(vault, bundle, hit.record, maker, wanted.token)
    before = made_before(vault, making.key)
    made = making.again(before) if before else making.first()  # (5)
    data = archive.build(made)
    shows = verify_evidence(data, trusted=[making.root])  # (6)
    no = making.write_down(made, before)  # (7)
    return MadeEvidence(no=no, data=data, shows=shows, again=before is not None)


def _one_hit(vault: Vault, wanted: Wanted, maker: Maker) -> Hit:
    reason = f"evidence: {maker.reason}"[:MAX_WORDS]
    report = search(vault, [wanted.value], person=maker.person, reason=reason, now=maker.now)
    (result,) = report.results
    if result.error is not None:
        raise result.error
    hits = [
        hit
        for hit in result.hits
        if hit.match in _HOLDS
        and wanted.org in (None, hit.org)
        and wanted.bundle in (None, hit.bundle)
        and wanted.record in (None, hit.record)
    ]
    if not hits:
        raise NotFound(
            "evidence_none",
            "No record here holds this value.",
            next_step="accord search VALUE shows what is here; accord pull fetches more.",
        )
    if len(hits) > 1:
        raise Refused(
            "evidence_ambiguous",
            "Several records hold this value; evidence is made of one.",
            observed="; ".join(
                f"{hit.bundle} record {hit.record} of {hit.org}" for hit in hits[:MAX_SHOWN]
            ),
            next_step="Say which one: --from NAME@HUB --bundle ID --record NUMBER.",
        )
    return hits[0]


def _opened(event: KeptEvent) -> Mapping[str, str]:
    return parse_record(event.opened).opened()


class _Making:
    """The members of one file; nothing is written before ``write_down``."""

    def __init__(
        self, vault: Vault, bundle: StoredBundle, record: int, maker: Maker, token: bytes | None
    ) -> None:
        self._vault = vault
        self._bundle = bundle
        self._record = record
        self._maker = maker
        self._token = token
        self.root: RootFile = verify_root(maker.roots[-1])
        self._accepted = self._acceptance()  # (3)
        self._line, self._place = self._disclose()  # (4)
        self._states = end_states(
            bundle, record, marks_of(vault, bundle.org, bundle.id), now=maker.now
        )
        self.key = self._key()

    def _acceptance(self) -> KeptEvent:
        origin = self.root.log_origin(LogName.AUDIT)
        found = acceptance_of(self._vault, origin=origin, org=self._bundle.org, id_=self._bundle.id)
        if found is None:
            raise Refused(
                "acceptance_missing",
                "The hub's proof that it accepted this bundle is not here yet.",
                observed=self._bundle.id,
                next_step="Run accord pull: it takes the proof in once witnesses have cosigned it.",
            )
        if " manifest=" not in f" {found.detail}":
            raise Refused(
                "acceptance_old",
                "The hub's event of acceptance does not name the manifest of this bundle, as hubs"
                " wrote it before: it binds the bundle and not its records, so it is no evidence.",
                observed=self._bundle.id,
                next_step="No sign of a forgery. Ask the sender for the record in a new bundle.",
            )
        return found

    def _disclose(self) -> tuple[bytes, bytes]:
        bundle, record = self._bundle, self._record
        aside = {number for number, _ in quarantined_of(self._vault, bundle)}
        lines = list(lines_of(self._vault, bundle))
        if bundle.head is None or not lines or record in aside:
            raise Refused(
                "evidence_gone",
                "The record is not kept here any more, or was kept aside as invalid.",
                observed=f"{bundle.id} record {record}",
                next_step="Ask its sender to make the evidence: it has its own copy.",
            )
        salt, _ = parse_head(bundle.head)
        place = format_place(
            index=record,
            salt=record_salts(salt, record + 1)[-16:],
            path=content_path(salt, lines, record),
        )
        return lines[record], place

    def _key(self) -> bytes:
        """Return a hash of all facts in the file: the same facts, the same file."""
        maker = self._maker
        facts: dict[str, object] = {
            "record": [self._bundle.org, self._bundle.id, self._record],
            "maker": [maker.org, maker.person, maker.reason],
            "states": [state.value for state in self._states],
            "log": [self._accepted.number, self._accepted.size, maker.directory.size],
            "parts": [
                hashlib.sha256(part).hexdigest()
                for part in (*maker.roots, VERIFIER, README, TEMPLATE, self._token or b"")
            ],
        }
        return hashlib.sha256(dump_object(facts)).digest()

    @property
    def _said(self) -> Statement:
        """What the maker says, but for custody and files."""
        maker, bundle = self._maker, self._bundle
        return Statement(
            org=maker.org,
            made=maker.now,
            person=maker.person,
            reason=maker.reason,
            sender=bundle.org,
            bundle=bundle.id,
            index=self._record,
            states=tuple(state.value for state in self._states),
            custody=(),
            files=(),
        )

    def first(self) -> dict[str, bytes]:
        """Return the members of a new file, signed now."""
        seen = latest_checkpoint(self._vault, self.root.log_origin(LogName.DIRECTORY))
        if seen is None or seen.size != self._maker.directory.size:
            raise Conflict(
                "directory_grown",
                "Another command has just taken in a newer directory.",
                next_step="Run the command again.",
            )
        maker, found = self._maker, self._custody()
        statement = replace(self._said, custody=found.custody, journal=found.journal)
        members = self._members(self._accepted.note, seen.note, statement)
        signed = sign_statement(replace(statement, files=listed(members)), maker.signing)
        return members | {archive.STATEMENT: signed}

    def again(self, before: MadeBefore) -> dict[str, bytes]:
        """Return the members of a file that was made before, under what was signed then."""
        _, statement = parse_signed(before.statement)
        members = self._members(before.audit, before.directory, statement)
        return members | {archive.STATEMENT: before.statement}

    def _members(self, audit: bytes, directory: bytes, statement: Statement) -> dict[str, bytes]:
        """Return every member but the statement, in order."""
        bundle, accepted, maker = self._bundle, self._accepted, self._maker
        proof = format_proof(accepted.number, accepted.path, audit, extra=accepted.opened)
        entries = leaves(self._vault)[: maker.directory.size]
        found = {
            archive.README: README,
            archive.REPORT: report_pdf(self._facts(audit, statement)),
            archive.RECORD: self._line,
            archive.HEADER: bundle.header,
            archive.SIGNATURES: bundle.dsse,
            archive.PLACE: self._place,
            archive.ACCEPTANCE: proof,
            archive.DIRECTORY: join_entries(entries),
            archive.CHECKPOINT: directory,
            archive.ROOTS: b"".join(root + b"\n" for root in maker.roots),
            archive.AUDIT_POLICY: self.root.log_policy_text(LogName.AUDIT).encode(),
            archive.DIRECTORY_POLICY: self.root.log_policy_text(LogName.DIRECTORY).encode(),
            archive.VERIFIER: VERIFIER,
        }
        return found if self._token is None else found | {archive.TOKEN: self._token}

    def _facts(self, audit: bytes, statement: Statement) -> Facts:
        header = parse_header(self._bundle.header)
        state = self._maker.directory
        opened = _opened(self._accepted)
        stamp = None
        if self._token is not None:
            token = verify_token(self._token, self._bundle.dsse)
            stamp = (token.time, token.authority)
        return Facts(
            record=_decode(self._line),
            line=self._line,
            index=self._record,
            header=header,
            name=state.organisation(header.org).profile.name,
            accepted=int(opened["time"]),
            number=self._accepted.number,
            log=self.root.log_origin(LogName.AUDIT),
            witnesses=witnesses_of(audit, self.root),
            standing=standing_words(
                state.ending(header.sig), state.key(header.sig).compromised_since
            ),
            statement=statement,
            root=self.root.sha256.hex(),
            stamped=stamp,
        )

    def _custody(self) -> Shown:
        """Return what was done with the record here, the oldest first; of very much, the last."""
        bundle, record = self._bundle, self._record
        came = "sealed and sent" if bundle.way is Way.SENT else "received, opened and checked"
        desk = Custody(at=bundle.arrived, who=f"desk of {self._maker.org}", what=came)
        done = [Done(line=desk, act=None)]
        done += [
            Done(line=Custody(at=one.at, who=one.person, what=DONE[one.act]), act=one.no)
            for one in done_with(self._vault, bundle, record)
            if one.act in DONE
        ]
        took = who_took(self._vault, bundle.no, [record])
        acts = acts_of_exports(self._vault, {one.no for one in took})
        done += [
            # A feed that tools read has no person of its own.
            Done(
                line=Custody(
                    at=one.at, who=one.person or "tools of this desk", what=EXPORTED + one.form
                ),
                act=acts.get(one.no),
            )
            for one in took
        ]
        # What is dated after now, by a clock that was ahead, cannot be said yet.
        done = [one for one in done if one.line.at <= self._maker.now + CLOCK_SKEW]
        done = sorted(done, key=lambda one: one.line.at)[-MAX_CUSTODY:]
        return shown(
            self._vault,
            done,
            self._said,
            origin=self.root.log_origin(LogName.AUDIT),
            accepted=(self._accepted.number, int(_opened(self._accepted)["time"])),
        )

    def write_down(self, members: Mapping[str, bytes], before: MadeBefore | None) -> int:
        """Journal that the file is handed out, and keep what it takes to make it again."""
        maker, bundle = self._maker, self._bundle
        with self._vault.transaction() as connection:
            number = (
                before.no
                if before
                else add_evidence(
                    connection,
                    at=maker.now,
                    person=maker.person,
                    reason=maker.reason,
                    org=bundle.org,
                    id_=bundle.id,
                    record=self._record,
                    key=self.key,
                    statement=members[archive.STATEMENT],
                    audit=parse_proof(members[archive.ACCEPTANCE]).note,
                    directory=members[archive.CHECKPOINT],
                )
            )
            record_act_in(
                connection,
                person=maker.person,
                act=Act.EVIDENCE_MAKE,
                subject=subject_of(bundle, self._record),
                reason=maker.reason,
                now=maker.now,
            )
        return number
