"""One request to the model: which version answers, in which thread, and what is noted of it."""

import asyncio
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from darkroom.app.metrics import Metrics
from darkroom.app.models import Models, Served
from darkroom.app.recording import Event, Recorder
from darkroom.package.options import Options
from darkroom.params.serving import Ab
from darkroom.traffic.routing import goes_to_challenger

if TYPE_CHECKING:
    from darkroom.package.answers import Detailed

KEY = re.compile(r"[\x21-\x7e]{1,100}")  # of a request: visible ASCII


class Answering:
    """Answers in as many threads as there are cores, by the champion or, in split mode, by the challenger."""

    def __init__(self, models: Models, metrics: Metrics, recorder: Recorder, compare: Ab) -> None:
        self.models, self.metrics, self.recorder, self.compare = models, metrics, recorder, compare
        self.threads = ThreadPoolExecutor(
            os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
        )

    async def __call__(self, values: Sequence[object], options: Options, key: str) -> list[dict[str, Any]]:
        """Return the answers on pictures, as bytes or base64; all of a request are by one version."""
        served, role = self.choose(key)
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        found = await loop.run_in_executor(self.threads, served.answers.detailed, values, options)
        milliseconds = 1000 * (time.perf_counter() - started)
        answers = [detailed.answer for detailed in found]
        self.metrics.count(answers, served.version, served.answers.classes)
        self._note(served, role, values, found, key, milliseconds / max(1, len(values)))
        return answers

    def choose(self, key: str) -> tuple[Served, str]:
        """Return the version that answers the request with this key, and its role."""
        challenger = self.models.challenger
        if self.compare.mode == "split" and challenger and goes_to_challenger(key, self.compare.share):
            return challenger, "challenger"
        return self.models.champion, "champion"

    def _note(
        self,
        served: Served,
        role: str,
        values: Sequence[object],
        found: "Sequence[Detailed]",
        key: str,
        milliseconds: float,
    ) -> None:
        shadow = self.models.challenger if self.compare.mode == "shadow" else None
        for place, (value, detailed) in enumerate(zip(values, found, strict=True)):
            name = key if len(values) == 1 else f"{key}/{place}"
            event = Event(name, time.time(), served, role, value, detailed, milliseconds, shadow)
            if not self.recorder.put(event):
                self.metrics.unlogged.inc()


def request_key(given: str | None) -> str:
    """Return the key of a request: the given one, or a new one; raises ValueError for one of other characters."""
    if not given:
        return uuid4().hex
    if not KEY.fullmatch(given):
        raise ValueError("X-Request-ID may have 1 to 100 characters, visible ones of ASCII")
    return given
