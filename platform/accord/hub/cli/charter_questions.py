"""What ``accord hub charter check`` can be asked, and the one pure function that answers it.

An organisation is named by its id or short name, then the directory describes it; or it is
described: ``kind:ngo+hotline@NL`` is an NGO with the capability ``hotline`` in the Netherlands.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from accord.hub.directory import Directory
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId, make_org_id, parse_org_id
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp, parse_code
from accord.kernel.policy.charter import Action, Charter
from accord.kernel.policy.decide import Decision, Party, Question, decide, decide_action

_DAY = 86_400
_PREFIX = "kind:"
_DESCRIBED = re.compile(r"kind:([a-z_]+)((?:\+[a-z0-9-]{1,60})*)(?:@([A-Z]{2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question as it was typed; empty when none was."""

    sender: str | None
    recipients: tuple[str, ...]
    kind: str
    tlp: str
    purpose: str
    onward: str
    days: int
    answers: bool
    approved: bool | None
    may: str | None

    @property
    def is_empty(self) -> bool:
        """Nothing was asked."""
        return self.sender is None and not self.recipients and self.may is None

    @property
    def needs_directory(self) -> bool:
        """Somebody is named, not described."""
        return any(not name.startswith(_PREFIX) for name in self._names())

    def parties(self, directory: Directory | None) -> tuple[Party, ...]:
        """Return the sender, then the recipients.

        Raises:
            Malformed: ``party_invalid``, ``org_kind_unknown``, ``question_incomplete``.
            NotFound: ``org_unknown``.
        """
        if not self.is_empty and (self.sender is None or bool(self.recipients) == bool(self.may)):
            raise Malformed(
                "question_incomplete",
                "A question names --from, and either --to or --may.",
                next_step="For example: --from bank --to police --kind indicators --tlp amber.",
            )
        return tuple(
            _party(name, directory, place) for place, name in enumerate(self._names(), start=1)
        )

    def _names(self) -> tuple[str, ...]:
        return (*((self.sender,) if self.sender else ()), *self.recipients)


def _party(name: str, directory: Directory | None, place: int) -> Party:
    if name.startswith(_PREFIX):
        found = _DESCRIBED.fullmatch(name)
        if found is None:
            raise Malformed(
                "party_invalid",
                "A described organisation is kind:KIND+CAPABILITY@COUNTRY.",
                observed=name[:80],
                next_step="For example: kind:ngo+hotline@NL.",
            )
        kind = parse_code(OrgKind, found[1], code="org_kind_unknown")
        capabilities = frozenset(filter(None, found[2].split("+")))
        # Each described organisation is one of its own, also when two are described alike.
        org = OrgId(f"{kind.value.replace('_', '-')}-{place}@described")
        return Party(org=org, kind=kind, country=found[3] or "", capabilities=capabilities)
    if directory is None:
        raise Malformed("party_invalid", "Without a hub, describe it: kind:…", observed=name[:80])
    hub = directory.root.hub
    org = parse_org_id(name) if "@" in name else make_org_id(name, hub)
    return directory.state().organisation(org).party


def answer(charter: Charter, asked: Asked, parties: tuple[Party, ...]) -> Decision:
    """Return the charter's decision on what was asked."""
    sender, recipients = parties[0], parties[1:]
    if asked.may is not None:
        return decide_action(charter, sender, Action(asked.may))
    return decide(
        charter,
        Question(
            sender=sender,
            recipients=recipients,
            kind=BundleKind(asked.kind),
            tlp=Tlp(asked.tlp),
            purpose=Purpose(asked.purpose),
            onward=Onward(asked.onward),
            lifetime=asked.days * _DAY,
            approved=asked.approved,
            replies_to=frozenset(one.org for one in recipients) if asked.answers else frozenset(),
        ),
    )


_FIELDS = tuple(field.name for field in fields(Asked))


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options of a question; it is called with ``asked``."""

    @click.option("--from", "sender", metavar="ORG", help="Who sends, or who asks with --may.")
    @click.option("--to", "recipients", metavar="ORG", multiple=True, help="Who receives.")
    @click.option("--kind", type=_choice(BundleKind), default="indicators", show_default=True)
    @click.option("--tlp", type=_choice(Tlp), default="amber", show_default=True)
    @click.option("--purpose", type=_choice(Purpose), default="prevention", show_default=True)
    @click.option("--onward", type=_choice(Onward), default="none", show_default=True)
    @click.option("--days", type=click.IntRange(0, 36_500), default=30, show_default=True,
                  help="Days until it expires.")  # fmt: skip
    @click.option("--answers", is_flag=True, help="It answers a bundle that each of --to had sent.")
    @click.option("--approved/--not-approved", default=None, help="A second person approved it.")
    @click.option("--may", type=_choice(Action), help="An action at the hub, instead of --to.")
    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the command's and ours
        ours = {name: kwargs.pop(name) for name in _FIELDS}
        command(*args, asked=Asked(**ours), **kwargs)

    return wrapper


def _choice(vocabulary: type[BundleKind | Tlp | Purpose | Onward | Action]) -> click.Choice[str]:
    return click.Choice([word.value for word in vocabulary])
