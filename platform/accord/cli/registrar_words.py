"""What a registrar signs, in words: every field that gives somebody standing, nothing else."""

from datetime import UTC, datetime

from accord.kernel.directory.countersigning import Document
from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.directory.statements import Op, Statement
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed
from accord.kernel.policy.charter import Charter
from accord.kernel.policy.words import grant_words, registrars_words, rule_words
from accord.kernel.tlog.notes import parse_vkey

SHORT = 12
"""Characters of a key id or hash that are shown; two people compare the six words instead."""

_OPS = {
    Op.ENROL: "ENROL a new organisation",
    Op.ROTATE: "ROTATE an organisation's keys",
    Op.SUSPEND: "SUSPEND an organisation at once",
    Op.RESUME: "RESUME a suspended organisation",
    Op.REVOKE: "REVOKE all keys of an organisation",
    Op.RECOVER: "RECOVER an organisation with new keys; it stays suspended for 72 hours",
    Op.LEAVE: "LEAVE: an organisation goes",
    Op.PEER: "PEER with another hub",
}


def in_words(document: Document, words: tuple[str, ...]) -> list[str]:
    """Return the lines that a registrar reads before signing."""
    content = document.content
    if isinstance(content, RootFile):
        return _root_words(content)
    if isinstance(content, Statement):
        return _statement_words(content, words)
    return _charter_words(content)


def _short(data: bytes) -> str:
    return b64encode(data)[:SHORT] + "…"


def _day(time: int) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError) as error:
        raise Malformed("value_invalid", "A time lies beyond the calendar.") from error


def _root_words(root: RootFile) -> list[str]:
    lines = [
        f"ROOT FILE version {root.version} of the hub {root.hub}, made {_day(root.created)}",
        f"{root.threshold} of these {len(root.registrars)} registrars decide who is enrolled:",
        *(f"  {one.name}  {_short(one.key.kid)}" for one in root.registrars),
        f"{root.quorum} of these {len(root.witnesses)} witnesses must have seen each checkpoint:",
        *(
            f"  {one.name}  {', '.join(parse_vkey(vkey).key_id.hex() for vkey in one.vkeys)}"
            for one in root.witnesses
        ),
    ]
    for log_name in LogName:
        ids = ", ".join(parse_vkey(vkey).key_id.hex() for vkey in root.log_vkeys(log_name))
        lines.append(f"log {root.log_origin(log_name)}  {ids}")
    lines.append(f"hash {_short(root.sha256)}")
    return lines


def _statement_words(statement: Statement, words: tuple[str, ...]) -> list[str]:
    lines = [_OPS[statement.op], f"organisation  {statement.org} (statement {statement.seq})"]
    if statement.profile is not None:
        profile = statement.profile
        lines += [
            f"name          {profile.name}",
            f"kind          {profile.kind}",
            f"country       {profile.country}",
            f"duty contact  {profile.contact} (public for ever)",
        ]
    if statement.roles is not None:
        lines.append(f"capabilities  {', '.join(statement.roles) or 'none'}")
    lines.append(f"made          {_day(statement.not_before)}")
    if statement.not_after is not None:
        lines.append(f"keys until    {_day(statement.not_after)}")
    if statement.sig is not None:
        lines.append(f"signing key   {_short(statement.sig.kid)}")
    if statement.compromised_since is not None:
        lines.append(f"old keys compromised since {_day(statement.compromised_since)}")
    if words:
        lines.append(f"six words     {' '.join(words)}   (not secret; compare by voice)")
    return lines


def _charter_words(charter: Charter) -> list[str]:
    """Say the conditions themselves: a rule's own sentence could promise less than it allows."""
    return [
        f"CHARTER version {charter.version}: {charter.name}",
        f"hash {_short(charter.sha256)}, {charter.size} bytes",
        *(
            ()
            if charter.registrars is None
            else (f"{registrars_words(charter)} must sign who is a member",)
        ),
        *(f"{rule.name}: {rule_words(rule)}" for rule in charter.rules),
        *(f"{grant.name}: {grant_words(grant)}" for grant in charter.grants),
    ]
