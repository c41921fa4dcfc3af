"""The thread that writes the log of traffic."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.app.recording import Event, Recorder, _facts
from mean_colours import RED, answers


class Slow(bytes):
    """A picture while whose length is taken, other threads have their turn."""

    def __len__(self) -> int:
        time.sleep(0.0005)
        return super().__len__()


def test_after_many_answers_at_once_there_is_as_much_room_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "_records", lambda *_: [])
    anything: Any = SimpleNamespace(add=len)
    recorder = Recorder(anything, False, lambda _: None)
    event = Event("r", 0.0, anything, "champion", Slow(b"0123456789"), anything, 1.0)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda _: recorder.put(event), range(100)))
    recorder.close()
    assert recorder._bytes == 0


def test_a_picture_is_not_measured_while_a_large_one_of_a_request_is_decoded() -> None:
    served: Any = SimpleNamespace(answers=answers())
    with ThreadPoolExecutor(1) as threads:
        with served.answers.one_large:
            facts = threads.submit(_facts, base64.b64decode(RED), served)
            time.sleep(0.1)
            assert not facts.done()
        assert facts.result()["width"] == 8
