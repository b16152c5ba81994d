"""People who sign in at the hub: one account each, made by an administrator, no defaults."""

from accord.hub.people.service import People, Person

__all__ = ["People", "Person"]
