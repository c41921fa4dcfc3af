"""One request to the model: which version answers, in which thread, and what is noted of it."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from darkroom.app.metrics import Metrics
from darkroom.app.models import Models, Served
from darkroom.app.recording import Event, Recorder
from darkroom.graphs.session import cores
from darkroom.package.invocations import Reply, answer_body
from darkroom.package.options import Options
from darkroom.params.serving import Ab
from darkroom.traffic.record import Role
from darkroom.traffic.routing import goes_to_challenger

if TYPE_CHECKING:
    from darkroom.package.answers import Detailed

T = TypeVar("T")
KEY = re.compile(r"[\x21-\x7e]{1,100}")  # of a request: visible ASCII


class Noted:
    """A version as it answers one request; what it has answered stays for the log. For package.invocations."""

    def __init__(self, served: Served) -> None:
        self.served, self.limits = served, served.answers.limits
        self.values: Sequence[object] = ()
        self.found: Sequence[Detailed] = ()
        self.milliseconds = 0.0  # a picture

    def __call__(self, values: Sequence[object], options: Options) -> list[dict[str, Any]]:
        """Return the answers on pictures, as bytes, base64 or numbers."""
        started = time.perf_counter()
        self.found, self.values = self.served.answers.detailed(values, options), values
        self.milliseconds = 1000 * (time.perf_counter() - started) / max(1, len(values))
        return [detailed.answer for detailed in self.found]


class Answering:
    """Answers in as many threads as there are cores, by the champion or, in split mode, by the challenger."""

    def __init__(self, models: Models, metrics: Metrics, recorder: Recorder, compare: Ab) -> None:
        self.models, self.metrics, self.recorder, self.compare = models, metrics, recorder, compare
        self.threads = ThreadPoolExecutor(cores())

    async def __call__(self, data: bytes, options: Options, key: str) -> dict[str, Any]:
        """Return the answer on the bytes of one picture."""
        served, role = self.choose(key)
        noted = Noted(served)
        (answer,) = await self._run(lambda: noted([data], options))
        self._note(noted, role, key)
        return answer

    async def whole(self, body: bytes, content_type: str | None, key: str) -> Reply:
        """Return the reply to the body of a request to /invocations; all of it is by one version."""
        served, role = self.choose(key)
        noted = Noted(served)
        reply = await self._run(lambda: answer_body(noted, body, content_type))
        self._note(noted, role, key)
        return reply

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def choose(self, key: str) -> tuple[Served, Role]:
        """Return the version that answers the request with this key, and its role."""
        challenger = self.models.challenger
        if self.compare.mode == "split" and challenger and goes_to_challenger(key, self.compare.share):
            return challenger, "challenger"
        return self.models.champion, "champion"

    def _note(self, noted: Noted, role: Role, key: str) -> None:
        """Count the answers and have them logged."""
        served, answers = noted.served, [detailed.answer for detailed in noted.found]
        self.metrics.count(answers, served.version, served.answers.classes)
        shadow = self.models.challenger if self.compare.mode == "shadow" else None
        for place, (value, detailed) in enumerate(zip(noted.values, noted.found, strict=True)):
            name = key if len(answers) == 1 else f"{key}/{place}"
            if detailed.answer["error"] and not isinstance(value, str | bytes):
                value = None  # anything that is not a picture may be of any size
            event = Event(name, time.time(), served, role, value, detailed, noted.milliseconds, shadow)
            if not self.recorder.put(event):
                self.metrics.unlogged.inc()


def request_key(given: str | None) -> str:
    """Return the key of a request: the given one, or a new one; raises ValueError for one of other characters."""
    if not given:
        return uuid4().hex
    if not KEY.fullmatch(given):
        raise ValueError("X-Request-ID may have 1 to 100 characters, visible ones of ASCII")
    return given
