"""The start-up of libraries: without noise, without telemetry, without lost time."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # an unreachable server is reported within seconds, not minutes
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",
}


def silence_libraries() -> None:
    """Set the environment variables that libraries read when they are imported, unless the user has set them."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


@contextmanager
def without_collections() -> Iterator[None]:
    """Switch the garbage collector off while many lasting objects are made, and keep it away from them afterwards.

    It would walk them over and over and find nothing: a quarter of the time of MLflow's and TensorFlow's imports.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if running:
            gc.enable()


@contextmanager
def without_native_messages() -> Iterator[None]:
    """Hide what native code writes to stderr; it is shown when the block raises.

    TensorFlow writes to the file descriptor before its log levels take effect. Nothing is hidden where stderr is closed
    or no temporary file can be made.
    """
    with ExitStack() as opened:
        with suppress(OSError):
            shown = opened.enter_context(os.fdopen(os.dup(2), "wb", buffering=0))
            hidden = opened.enter_context(tempfile.TemporaryFile())
            opened.enter_context(_redirected(shown, hidden))
        yield


@contextmanager
def _redirected(shown: IO[bytes], hidden: IO[bytes]) -> Iterator[None]:
    _flush_stderr()
    os.dup2(hidden.fileno(), 2)
    try:
        yield
    except BaseException:
        hidden.seek(0)
        with suppress(OSError):  # nobody reads it any more
            shown.write(hidden.read())
        raise
    finally:
        _flush_stderr()
        os.dup2(shown.fileno(), 2)


def _flush_stderr() -> None:
    with suppress(AttributeError, OSError, ValueError):  # there is none, nobody reads it any more, it is closed
        sys.stderr.flush()
