"""What native code writes to stderr is hidden, where that is possible."""

import io
import os
import sys
import tempfile
from typing import Any

import pytest

from darkroom.execution.quiet import without_native_messages


def test_it_is_hidden_and_shown_when_the_block_raises(capfd: pytest.CaptureFixture[str]) -> None:
    with without_native_messages():
        os.write(2, b"unimportant\n")
    with pytest.raises(KeyError), without_native_messages():
        os.write(2, b"the reason\n")
        raise KeyError
    os.write(2, b"as before\n")
    assert capfd.readouterr().err == "the reason\nas before\n"


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


class Unread(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, closed(), Unread()], ids=["none", "closed", "unread"])
def test_a_stderr_that_takes_nothing_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], stream: Any
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with without_native_messages():
        os.write(2, b"unimportant\n")
    os.write(2, b"as before\n")
    assert capfd.readouterr().err == "as before\n"


def test_without_a_place_for_a_file_or_without_stderr_nothing_is_hidden(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = os.dup(2)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nowhere")
        with without_native_messages():
            os.write(2, b"shown\n")
    os.close(2)
    try:
        with without_native_messages():
            free = os.dup(saved)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert (free, capfd.readouterr().err) == (2, "shown\n")  # no descriptor is left open, nor is one opened instead
