import os
import signal

import pytest

from darkroom.execution import workers
from darkroom.execution.interrupts import interrupted_later


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_one_interrupt_waits_for_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupted_later():
        interrupt()
        done.append("all")
    assert done == ["all"]


def test_a_second_one_does_not_wait() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupted_later():
        interrupt()
        interrupt()
        done.append("all")
    assert done == []


def test_it_is_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupted_later():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_while_the_server_of_workers_starts_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ensure_running", interrupt)
    with pytest.raises(KeyboardInterrupt):
        workers._start_server()
