"""The verbs of this room in one hand, built over one database."""

from dataclasses import dataclass

from sqlalchemy import Engine

from accord.clock import Clock
from accord.hub.audit import Recorder
from accord.hub.people.account import Account
from accord.hub.people.administration import Administration
from accord.hub.people.attempts import Attempts
from accord.hub.people.invitations import Invitations
from accord.hub.people.notices import Notices
from accord.hub.people.operator import Operator
from accord.hub.people.passwords import Passwords
from accord.hub.people.policy import PeoplePolicy
from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.sessions import Sessions
from accord.hub.people.sign_in import SignIn
from accord.hub.people.signing_out import SigningOut
from accord.hub.people.standing import Standing
from accord.hub.storage import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What can be done with people: each part has its own module.

    Attributes:
        keys: the room's keys; also the one that signs cookies.
        policy: what the settings say.
        passwords: counts attempts with a name and password.
        invites: counts attempts with a code.
    """

    keys: PeopleKeys
    policy: PeoplePolicy
    sessions: Sessions
    signing_out: SigningOut
    sign_in: SignIn
    account: Account
    invitations: Invitations
    administration: Administration
    notices: Notices
    operator: Operator
    passwords: Attempts
    invites: Attempts


def build_people(
    *,
    engine: Engine,
    writer: Writer,
    recorder: Recorder,
    keys: PeopleKeys,
    policy: PeoplePolicy,
    clock: Clock,
) -> People:
    """Return the room over one database."""
    standing = Standing(
        engine=engine,
        writer=writer,
        recorder=recorder,
        keys=keys,
        policy=policy,
        passwords=Passwords(),
    )
    return People(
        keys=keys,
        policy=policy,
        sessions=Sessions(engine=engine, writer=writer, clock=clock),
        signing_out=SigningOut(engine=engine, writer=writer, recorder=recorder, clock=clock),
        sign_in=SignIn(standing),
        account=Account(standing),
        invitations=Invitations(standing),
        administration=Administration(engine=engine, writer=writer, recorder=recorder),
        notices=Notices(engine=engine, writer=writer),
        operator=Operator(engine=engine, writer=writer, recorder=recorder, keys=keys),
        passwords=Attempts("password", engine=engine, writer=writer, keys=keys),
        invites=Attempts("invite", engine=engine, writer=writer, keys=keys),
    )
