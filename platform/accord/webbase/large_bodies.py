"""No large body before its signature: the server's parser asks at the end of the headers.

The server buffers a whole body before the application sees the request, so a stranger could fill
the disk. A signature covers the body's digest (RFC 9421, Content-Digest) and can be checked before
the body comes; without one that holds, a body above ``SMALL_BODY`` or of unknown length is refused
with 413 and the connection is closed. The application checks everything again.
"""

from collections.abc import Callable, Mapping

from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.utilities import RequestEntityTooLarge

from accord.webbase.slow_readers import PatientChannel

SMALL_BODY = 1024 * 1024
"""Bytes that anybody may send; every route that is not signed takes less."""

Admit = Callable[[str, str, str, Mapping[str, str]], bool]
"""Says of method, path, query and headers (lower-case names) whether a large body may come."""


def guard_bodies(server: BaseWSGIServer, admit: Admit) -> None:
    """Let ``server`` take a large body only when ``admit`` says so; call before it runs."""

    class Parser(HTTPRequestParser):  # type: ignore[misc,unused-ignore]
        """Judges a request once, when its headers are complete."""

        completed: bool

        def received(self, data: bytes) -> int:
            """Take bytes; return how many."""
            before = self.headers_finished
            taken: int = super().received(data)
            if before or not self.headers_finished or self.completed:
                return taken
            large = self.chunked or self.content_length > SMALL_BODY
            if large and not admit(self.command, self.path, self.query, self._plain_headers()):
                self.error = RequestEntityTooLarge("a large body needs a signature that holds")
                self.completed = True
            return taken

        def _plain_headers(self) -> dict[str, str]:
            return {name.replace("_", "-").lower(): text for name, text in self.headers.items()}

    class Channel(PatientChannel):
        """A connection whose requests are judged, and whose reader must read."""

        parser_class = Parser

    server.channel_class = Channel
