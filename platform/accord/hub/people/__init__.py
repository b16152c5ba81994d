"""People who sign in at the hub: accounts, sessions, second factors, invitations.

No account and no password is there by itself; an organisation invites its own people. Room law:
names stand in ``tables`` and in the erasable field of events only; every verb is one gate, one
transaction, one event.
"""

from accord.hub.people.account import Account
from accord.hub.people.administration import Administration, parse_role
from accord.hub.people.attempts import Attempts
from accord.hub.people.codes import provisioning_uri
from accord.hub.people.invitations import INVITE_SECONDS, Invitations
from accord.hub.people.notices import Notices
from accord.hub.people.operator import Operator
from accord.hub.people.passkeys import Answer, RelyingParty
from accord.hub.people.policy import PeoplePolicy
from accord.hub.people.queries import Person
from accord.hub.people.sealing import PeopleKeys, people_keys
from accord.hub.people.service import People, build_people
from accord.hub.people.sessions import ENROL, FACTOR, Session, Sessions
from accord.hub.people.sign_in import Begun, SignIn, Visit
from accord.hub.people.signing_out import SigningOut

__all__ = [
    "ENROL",
    "FACTOR",
    "INVITE_SECONDS",
    "Account",
    "Administration",
    "Answer",
    "Attempts",
    "Begun",
    "Invitations",
    "Notices",
    "Operator",
    "People",
    "PeopleKeys",
    "PeoplePolicy",
    "Person",
    "RelyingParty",
    "Session",
    "Sessions",
    "SignIn",
    "SigningOut",
    "Visit",
    "build_people",
    "parse_role",
    "people_keys",
    "provisioning_uri",
]
