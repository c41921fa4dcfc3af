"""Before any library is imported: no telemetry, no start-up noise, and no writing to a store that a user has set."""

import os

from hypothesis import settings

from darkroom.execution.quiet import silence_libraries

silence_libraries()
for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
    os.environ.pop(name, None)

settings.register_profile("darkroom", deadline=None, derandomize=True)  # the same examples on every machine
settings.load_profile("darkroom")
