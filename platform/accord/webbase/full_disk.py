"""A disk without room has a code of its own, wherever a request meets it.

It meets one where the server buffers its body and where the application keeps a file of it.
"""

import errno

from accord.kernel.errors import Unavailable

RETRY_SECONDS = 60

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: BaseException) -> bool:
    """Return whether ``error`` says that the disk, a quota or a limit of files is used up."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def disk_full() -> Unavailable:
    """Return the error that the caller gets; it says nothing of where."""
    return Unavailable(
        "disk_full",
        "The disk is full; nothing was accepted.",
        retry_after=RETRY_SECONDS,
        next_step="Whoever runs this computer frees space; then send it again.",
    )
