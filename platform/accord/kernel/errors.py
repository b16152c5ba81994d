"""One error tree with stable codes.

An error names its cause (``code``), what was seen (``observed``, never a secret) and what to do
next (``next_step``). Faces map the class to an HTTP status or an exit code; they never parse text.
"""


class AccordError(Exception):
    """Base of all errors that Accord raises on purpose.

    Attributes:
        code: stable lower-case identifier, for example ``checksum_wrong``; tested from outside.
        message: one plain sentence for a person.
        observed: the value that was seen, already shortened and never secret; may be ``None``.
        next_step: what the reader can do about it; may be ``None``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        observed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        """Keep the four parts; the text is built from them."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.observed = observed
        self.next_step = next_step

    def __str__(self) -> str:
        """Return ``message (saw: observed). next step [code]``."""
        text = self.message
        if self.observed is not None:
            text += f" (saw: {self.observed})"
        if self.next_step is not None:
            text += f" {self.next_step}"
        return f"{text} [{self.code}]"


class Malformed(AccordError):
    """The bytes or words are not of the form that the format's page prescribes."""


class VerificationFailed(AccordError):
    """Well-formed, but a signature, digest, proof or binding does not hold."""


class Refused(AccordError):
    """A rule (charter, access, state) says no; the code names the rule."""


class NotFound(AccordError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(AccordError):
    """The same name is taken by other bytes, or the state moved on."""


class AuthenticationNeeded(AccordError):
    """Enrolment or sign-in is missing or over."""


class Unavailable(AccordError):
    """Not now; try again after ``retry_after`` seconds."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: int = 1,
        observed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        """Keep ``retry_after`` (seconds) beside the other parts."""
        super().__init__(code, message, observed=observed, next_step=next_step)
        self.retry_after = retry_after
