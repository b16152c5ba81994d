"""How every program logs: one JSON line an event on stderr; stdout is data only.

What may stand in a log is the business of whoever logs: ids, codes, counts, never a value, a body
or a secret.
"""

import sys
from typing import Any

import msgspec
import structlog

_ENCODER = msgspec.json.Encoder()


class _StderrLines:
    """Writes to whatever ``sys.stderr`` is at that moment, one line at a time."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = msg


def _render(value: object, **_: Any) -> str:  # noqa: ANN401 - structlog's own arguments
    return _ENCODER.encode(value).decode("utf-8")


def log_to_stderr() -> None:
    """Set up logging for this process; called before a command runs."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_render),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=lambda *_: _StderrLines(),
        cache_logger_on_first_use=False,
    )
