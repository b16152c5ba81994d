"""The gate: who may do what at this hub, as one pure function over one table. Default deny."""

from accord.hub.access.decide import SENSITIVE, Action, Actor, Role, decide, require

__all__ = ["SENSITIVE", "Action", "Actor", "Role", "decide", "require"]
