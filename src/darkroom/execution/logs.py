"""Messages of a stage or a command: one line each on stderr, as `name: message`. Results stay on stdout."""

import logging
import sys


class _StderrHandler(logging.Handler):
    """Writes to the stderr of the moment: a test or a notebook may replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


class _LineFormatter(logging.Formatter):
    """Puts the name in front, and before a warning that it is one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: %(message)s")
        self.warning = logging.Formatter(f"{name}: warning: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return self.warning.format(record) if record.levelno == logging.WARNING else super().format(record)


def configure_logging(name: str) -> None:
    """Send what the modules of darkroom log, from INFO up, to stderr; `name` is that of the stage or command.

    Modules log with `logging.getLogger(__name__)`. Handlers of the root logger, which libraries may add, get nothing.
    """
    handler = _StderrHandler()
    handler.setFormatter(_LineFormatter(name))
    logger = logging.getLogger("darkroom")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
