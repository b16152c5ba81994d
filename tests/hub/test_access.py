"""The gate's table, persona by persona: who may ask the hub for what. Everything else is refused."""

import pytest

from accord.hub.access import SENSITIVE, Action, Actor, Role, decide, require
from accord.kernel.errors import AuthenticationNeeded, NotFound, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind

OWN, OTHER = OrgId("first-bank@hub.test"), OrgId("police@hub.test")

# Desks by kind of organisation: financial, law enforcement, ngo, oversight, operator (desks act
# by signed requests). People by role: analyst, approver, investigator, administrator, auditor,
# viewer. "y" may, "s" may after a fresh proof of who they are, "-" may not.
TABLE = """
bundle:submit           y y y - -    - - - - - -
bundle:read             y y y - -    - - - - - -
receipt:read            y y y - -    - - - - - -
feed:read               y y y - -    - - - - - -
acknowledgement:write   y y y - -    - - - - - -
acknowledgement:read    y y y - -    - - - - - -
tally:write             y y y - -    - - - - - -
summary:view            - - - - -    y y y y y y
log:view                - - - - -    y y y y y y
charter:view            - - - - -    y y y y y y
account:view            - - - - -    y y y y y y
account:change          - - - - -    s s s s s s
account:sign-out        - - - - -    y y y y y y
people:view             - - - - -    - - - y y -
person:invite           - - - - -    - - - s - -
person:role             - - - - -    - - - s - -
person:remove           - - - - -    - - - s - -
person:reset            - - - - -    - - - s - -
person:sign-out         - - - - -    - - - s - -
audit:view              - - - - -    - - - y y -
audit:export            - - - - -    - - - y y -
audit:erase             - - - - -    - - - s - -
events:read             y y y - -    - - - - - -
journal:anchor          y y y - -    - - - - - -
journal:restart         y y y - -    - - - - - -
recalls:view            - - - - -    y y y y y y
"""
DESKS = ("financial", "law_enforcement", "ngo", "oversight", "operator")
PEOPLE = ("analyst", "approver", "investigator", "administrator", "auditor", "viewer")
OWN_ACCOUNT = {Action.ACCOUNT_CHANGE, Action.ACCOUNT_SIGN_OUT}
READING = ("view", "read", "export")

ROWS = {words[0]: words[1:] for words in map(str.split, TABLE.strip().splitlines())}
PERSONAS = (
    *((f"desk of {kind}", OrgKind(kind), Role.DESK) for kind in DESKS),
    *((role, kind, Role(role)) for kind in OrgKind for role in PEOPLE),
)


def cell(action: Action, kind: OrgKind, role: Role) -> str:
    place = DESKS.index(kind.value) if role is Role.DESK else 5 + PEOPLE.index(role.value)
    return ROWS[action.value][place]


def test_the_table_has_every_action_and_every_persona() -> None:
    assert list(ROWS) == [action.value for action in Action]
    assert all(len(cells) == len(DESKS) + len(PEOPLE) for cells in ROWS.values())
    assert set(DESKS) == {kind.value for kind in OrgKind}
    assert {*PEOPLE, "desk"} == {role.value for role in Role}


@pytest.mark.parametrize("action", list(Action))
def test_who_may(action: Action) -> None:
    for name, kind, role in PERSONAS:
        said = cell(action, kind, role)
        for fresh in (True, False):
            actor = Actor(org=OWN, kind=kind, role=role, person="ana", fresh=fresh)
            wanted = said == "y" or (said == "s" and fresh)
            assert decide(actor, action).allowed == wanted, (name, kind, fresh)
            assert not decide(actor, action, []).allowed, "what belongs to nobody is for nobody"
            assert not decide(actor, action, [OTHER]).allowed, "of others"
            assert decide(actor, action, [OTHER, OWN]).allowed == wanted


def test_an_auditor_reads_and_changes_only_their_own_account() -> None:
    for action in Action:
        actor = Actor(org=OWN, kind=OrgKind.OVERSIGHT, role=Role.AUDITOR, fresh=True)
        if decide(actor, action).allowed and action not in OWN_ACCOUNT:
            assert action.value.rpartition(":")[2] in READING, action


def test_a_refusal_says_what_is_missing_but_not_what_belongs_to_others() -> None:
    viewer = Actor(org=OWN, kind=OrgKind.NGO, role=Role.VIEWER)
    administrator = Actor(org=OWN, kind=OrgKind.NGO, role=Role.ADMINISTRATOR)
    with pytest.raises(Refused, match="action_not_granted"):
        require(viewer, Action.PERSON_INVITE)
    with pytest.raises(AuthenticationNeeded, match="confirm_needed"):
        require(administrator, Action.PERSON_INVITE)
    with pytest.raises(NotFound, match="not_found"):
        require(administrator, Action.PERSON_REMOVE, [OTHER])
    with pytest.raises(AuthenticationNeeded, match="sign_in_needed"):
        require(None, Action.SUMMARY_VIEW)
    assert Action.PERSON_REMOVE in SENSITIVE
