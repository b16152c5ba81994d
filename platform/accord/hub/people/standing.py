"""What the verbs of people stand on."""

from dataclasses import dataclass

from sqlalchemy import Engine

from accord.hub.audit import Recorder
from accord.hub.people.passwords import Passwords
from accord.hub.people.policy import PeoplePolicy
from accord.hub.people.sealing import PeopleKeys
from accord.hub.storage import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Reading through ``engine``, writing and recording through the others, by one policy."""

    engine: Engine
    writer: Writer
    recorder: Recorder
    keys: PeopleKeys
    policy: PeoplePolicy
    passwords: Passwords
