"""The logs for anyone: C2SP tlog-tiles under ``/log/directory`` and ``/log/audit``.

``checkpoint`` is the newest with its quorum; ``pending`` the newest of the hub alone, for witnesses
and for people who wonder.
"""

from flask import Response

from accord.hub.services import Services
from accord.hub.transparency import LogName
from accord.kernel.errors import NotFound
from accord.kernel.tlog.tiles import format_entries, parse_tile_path
from accord.webbase.api import ApiRoutes
from accord.webbase.routes import Who, declare

TILE_WIDTH = 256
IMMUTABLE = "public, max-age=31536000, immutable"


def log_routes(services: Services) -> ApiRoutes:
    """Return the routes over ``services``."""
    routes = ApiRoutes("logs", __name__, description="The transparency logs (C2SP tlog-tiles).")

    @routes.serves("/log/<log>/checkpoint", method="GET")
    @routes.answers(200, description="The newest checkpoint with its quorum of witnesses.")
    @declare("log:read", who=Who.ANYONE)
    def get_checkpoint(log: str) -> Response:
        """Return the newest witnessed checkpoint."""
        head = services.reader.cosigned(_log(log))
        if head is None:
            raise NotFound("checkpoint_missing", "No checkpoint has its quorum yet.")
        return _text(head.note)

    @routes.serves("/log/<log>/pending", method="GET")
    @routes.answers(200, description="The newest checkpoint, signed by the hub alone.")
    @declare("log:read", who=Who.ANYONE)
    def get_pending(log: str) -> Response:
        """Return the newest checkpoint without witnesses."""
        head = services.reader.head(_log(log))
        if head is None:
            raise NotFound("checkpoint_missing", "The log is empty.")
        return _text(head.note)

    @routes.serves("/log/<log>/tile/<path:tile>", method="GET")
    @routes.answers(200, description="A tile of hashes or a bundle of entries.")
    @declare("log:read", who=Who.ANYONE)
    def get_tile(log: str, tile: str) -> Response:
        """Return a tile or an entry bundle."""
        name = _log(log)
        wanted = parse_tile_path(f"tile/{tile}")
        if wanted.level is None:
            entries = services.reader.entries(name, wanted.index * TILE_WIDTH, wanted.width)
            data = format_entries(entries)
        else:
            data = services.reader.tile(name, wanted.level, wanted.index, wanted.width)
        answer = Response(data, mimetype="application/octet-stream")
        answer.headers["Cache-Control"] = IMMUTABLE
        return answer

    return routes


def _log(name: str) -> LogName:
    if name not in set(LogName):
        raise NotFound("log_missing", "This hub has the logs 'directory' and 'audit'.")
    return LogName(name)


def _text(note: bytes) -> Response:
    answer = Response(note, mimetype="text/plain")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
