"""The container: its file system built from the Dockerfile, started and asked, without an engine."""

import json
import os
import shutil
import sys

import pytest

from project import COLOURS, Project
from try_image import TOOLS

POSSIBLE = sys.platform == "linux" and os.geteuid() == 0 and all(map(shutil.which, TOOLS))


@pytest.mark.slow  # installs all that the image holds: 35 CPU seconds
@pytest.mark.skipif(not POSSIBLE, reason=f"needs Linux, root and the commands {', '.join(TOOLS)}")
def test_the_image_answers_as_its_user_on_a_file_system_that_it_cannot_write_to(project: Project) -> None:
    done = Project(project.root).run(sys.executable, "container/try_image.py", "models/bundle", "reports/example.png")
    found = json.loads(done.stdout)
    (answer,) = found["answer"]["predictions"]
    assert answer["label"] in COLOURS and answer["error"] is None
    assert (found["health"], found["can_write"]) == (0, False)
    assert found["ended_with"] in (0, 143)
    assert "Traceback" not in done.stderr
    assert found["mb"] < 300
