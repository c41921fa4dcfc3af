import os
import signal

import pytest

from darkroom.execution import workers
from darkroom.execution.interrupts import Terminated, deferred_interrupts, sigterm_raises

BOTH = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "raised"), BOTH)
def test_one_signal_waits_for_the_end(number: int, raised: type[BaseException]) -> None:
    done = []
    with pytest.raises(raised), sigterm_raises(), deferred_interrupts():
        send(number)
        done.append("all")
    assert done == ["all"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_does_not_wait(number: int) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), sigterm_raises(), deferred_interrupts():
        send()
        send(number)
        done.append("all")
    assert done == []


def test_a_signal_is_not_lost_with_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        send()
        raise ZeroDivisionError


def test_the_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number, _ in BOTH]
    with sigterm_raises(), deferred_interrupts():
        pass
    assert [signal.getsignal(number) for number, _ in BOTH] == before


def test_ctrl_c_while_the_server_of_workers_starts_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ensure_running", send)
    with pytest.raises(KeyboardInterrupt):
        workers.start_server()
