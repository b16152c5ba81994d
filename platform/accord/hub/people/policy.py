"""How people must prove who they are at this hub: two settings, and what follows from a role."""

from dataclasses import dataclass

from accord.hub.people.queries import STRONG_ROLES, Person
from accord.hub.people.sessions import ENROL, FACTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePolicy:
    """What the hub's settings say.

    Attributes:
        passwords: whether a password (with an authenticator app) does where there is no passkey.
        factor_for_all: whether everybody needs a second factor, not administrators and auditors
            alone.
    """

    passwords: bool = True
    factor_for_all: bool = False

    def needs_factor(self, person: Person) -> bool:
        """Say whether this person must have a second factor."""
        return self.factor_for_all or person.role in STRONG_ROLES

    def waits_for(self, person: Person) -> str:
        """Return what a session waits for after the password."""
        if person.has_factor:
            return FACTOR
        return ENROL if self.needs_factor(person) else ""
