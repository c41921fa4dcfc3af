"""The libraries' start-up: noise and telemetry off, and no time lost."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is away is said within seconds, not minutes
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",
}


def silence_libraries() -> None:
    """Set what the libraries read at their import, unless the user has set it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


@contextmanager
def without_collections() -> Iterator[None]:
    """Hold back the garbage collector while libraries load; what they made is never looked at again.

    It walks their objects over and over and finds nothing: a quarter of the time of MLflow's and TensorFlow's imports.
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
    """Hold back what native code writes to stderr; shown after all when the block raises.

    TensorFlow logs to the file descriptor before any of its log levels holds.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
