"""What happens behind an answer: its facts are measured, the challenger answers unseen, the log is written."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from math import prod
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.app.models import Served
from darkroom.core.errors import UserError, first_line
from darkroom.images.decode import inspect, silent_pillow
from darkroom.images.facts import measure_pictures
from darkroom.package.requests import picture_bytes, shape_of
from darkroom.traffic.record import Record, Role

if TYPE_CHECKING:
    from darkroom.package.answers import Detailed
    from darkroom.traffic.log import TrafficLog

logger = logging.getLogger(__name__)
WAITING = 2000  # answers, at most, that wait to be logged
WAITING_BYTES = 64_000_000  # of their pictures together
NUMBER_BYTES = 40  # of a number in a list, at most: the object and the place
AT_ONCE = 50  # answers in one transaction
FACTS = ("width", "height", "brightness", "sharpness")


@dataclass(frozen=True)
class Event:
    """An answer to be logged: the picture as it came, and the version that is also to answer it, unseen."""

    request: str
    time: float
    served: Served
    role: Role
    value: object
    detailed: "Detailed"
    milliseconds: float
    shadow: Served | None = None

    @property
    def size(self) -> int:
        """The bytes that the picture holds; of nested lists, which are rectangular, as many as 40 a number."""
        if isinstance(self.value, str | bytes):
            return len(self.value)
        return self.value.nbytes if isinstance(self.value, np.ndarray) else NUMBER_BYTES * prod(shape_of(self.value))


@dataclass(frozen=True)
class Outcomes:
    """Pairs of request and right label, and where to say how many of the requests the log knows."""

    pairs: Sequence[tuple[str, str]]
    known: "Future[int]"


class Recorder:
    """One thread that writes to the log of traffic; nobody waits for it, and `missed` counts what is lost."""

    def __init__(self, log: "TrafficLog", pictures: bool, missed: Callable[[int], None]) -> None:
        self.log, self.pictures, self.missed = log, pictures, missed
        self._waiting: Queue[Event | Outcomes | None] = Queue(WAITING)
        self._bytes, self._counting, self._said = 0, Lock(), ""
        self._thread = Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> bool:
        """Have an answer logged; return whether there is room for it."""
        with self._counting:
            if self._bytes + event.size > WAITING_BYTES:
                return False
            try:
                self._waiting.put_nowait(event)
            except Full:
                return False
            self._bytes += event.size
        return True

    def outcomes(self, pairs: Sequence[tuple[str, str]]) -> "Future[int]":
        """Have right labels logged, (request, label) each, behind the answers that wait; raises queue.Full."""
        known: Future[int] = Future()
        self._waiting.put_nowait(Outcomes(pairs, known))
        return known

    def close(self) -> None:
        """Write what waits, for ten seconds at most."""
        try:
            self._waiting.put(None, timeout=5)
        except Full:
            return
        self._thread.join(timeout=10)

    def _run(self) -> None:
        last = False
        while not last:
            waiting: list[Event | Outcomes | None] = [self._waiting.get()]
            try:
                while len(waiting) < AT_ONCE:
                    waiting.append(self._waiting.get_nowait())
            except Empty:
                pass
            last = None in waiting
            self._write([entry for entry in waiting if isinstance(entry, Event)])
            for entry in waiting:
                if isinstance(entry, Outcomes):
                    self._note(entry)

    def _write(self, events: Sequence[Event]) -> None:
        try:
            if events:
                self.log.add([record for event in events for record in self._records(event)])
        except Exception as error:  # the app goes on answering, whatever happens to the log
            self.missed(len(events))
            self._warn(error)
        finally:
            with self._counting:
                self._bytes -= sum(event.size for event in events)

    def _note(self, outcomes: Outcomes) -> None:
        try:
            outcomes.known.set_result(self.log.record_outcomes(outcomes.pairs))
        except Exception as error:
            self._warn(error)
            outcomes.known.set_exception(UserError("the log of traffic cannot be written", 1))

    def _warn(self, error: Exception) -> None:
        """Log a failure, the same one once."""
        if (problem := first_line(error)[:300]) != self._said:
            logger.warning("answers are not logged: %s", problem)
        self._said = problem

    def _records(self, event: Event) -> list[Record]:
        """Return the record of an answer and, in shadow mode, that of the challenger's."""
        data = _bytes_of(event)
        facts = dict.fromkeys(FACTS) if event.detailed.answer["error"] else _facts(data, event.served)
        record = _record(event, data if self.pictures else None, facts)
        try:
            return [record] if event.shadow is None else [record, _unseen(event, event.shadow, facts)]
        except Exception as error:  # the champion's answer is worth a record by itself
            self.missed(1)
            self._warn(error)
            return [record]


def _unseen(event: Event, shadow: Served, facts: dict[str, Any]) -> Record:
    """Return the record of what another version answers on the picture of an event."""
    started = time.perf_counter()
    (detailed,) = shadow.answers.detailed([event.value])
    milliseconds = 1000 * (time.perf_counter() - started)
    unseen = replace(event, served=shadow, role="shadow", detailed=detailed, milliseconds=milliseconds)
    return _record(unseen, None, facts)


def _record(event: Event, picture: bytes | None, facts: dict[str, Any]) -> Record:
    answer = event.detailed.answer
    return Record(
        request=event.request,
        time=event.time,
        version=event.served.version,
        role=event.role,
        probabilities=answer["probabilities"] or {},
        milliseconds=event.milliseconds,
        features=event.detailed.features,
        picture=picture,
        **{name: answer[name] for name in ("label", "score", "abstains", "unfamiliar", "error")},
        **facts,
    )


def _bytes_of(event: Event) -> bytes:
    try:
        return picture_bytes(event.value, event.served.answers.limits["picture_bytes"])
    except ValueError:
        return b""


def _facts(data: bytes, served: Served) -> dict[str, Any]:
    """Return width and height in pixels, brightness and sharpness, as ingest measures them."""
    try:
        with silent_pillow(), served.answers.one_large:  # a large picture is not decoded beside one of a request
            stored, pixels = inspect(data, served.answers.image["depth"])
            measured, _ = measure_pictures([pixels])
    except ValueError:  # raw pixels have no facts of a file
        return dict.fromkeys(FACTS)
    facts = {name: float(measured[name][0]) for name in ("brightness", "sharpness")}
    return {"width": stored["width"], "height": stored["height"], **facts}
