"""How a stage or a command ends: what a user can mend is one line, with an exit status."""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.execution.interrupts import Terminated, sigterm_raises
from darkroom.execution.logs import configure_logging

logger = logging.getLogger(__name__)
REMEDIES = {
    errno.ENOSPC: "free some space, for example with `dvc gc --workspace` or by deleting .cache",
    errno.EDQUOT: "free some space or ask for a larger quota; .cache can be deleted at any time",
    errno.EACCES: "give this user the right to read and write it",
    errno.EPERM: "give this user the right to read and write it",
    errno.EROFS: "mount it writable, or work in a copy of the repository",
}


@contextmanager
def reported_errors(name: str) -> Iterator[None]:
    """Log what ends the block in one line, as `name: message`, and end the process with the exit status.

    A UserError has its own status; a full disk, a forbidden write and too little memory give 1, Ctrl-C 130, SIGTERM
    143. Any other exception is a fault of the program and passes through.
    """
    configure_logging(name)
    try:
        with sigterm_raises():
            yield
    except UserError as error:
        _end(str(error), error.status)
    except Terminated:
        _end("stopped by SIGTERM; nothing half-written is left", 143)
    except KeyboardInterrupt:
        _end("stopped by Ctrl-C; nothing half-written is left", 130)
    except MemoryError:
        _end("out of memory; use a machine with more memory", 1)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        _end(describe_os_error(error), 1)


def _end(message: str, status: int) -> None:
    logger.error(message)
    sys.exit(status)


def describe_os_error(error: OSError) -> str:
    """Return in one line which file could not be read or written, why, and the remedy for an errno of REMEDIES."""
    file = Path(os.fsdecode(error.filename)) if error.filename else Path.cwd()
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) and error.filename else file
    return f"{shown}: {os.strerror(error.errno or 0)}; {REMEDIES[error.errno or 0]}"
