import logging

import pytest

from darkroom.execution.exits import reported_errors
from darkroom.execution.logs import configure_logging


def test_a_message_is_a_line_on_stderr_behind_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("darkroom.train.fit")
    for name in ("tune", "train"):  # the second one counts
        configure_logging(name)
    logger.debug("nobody asked")
    logger.info("resumes after epoch %d", 3)
    logger.warning("slow")
    logger.error("no such file")
    shown = capsys.readouterr()
    assert shown.err == "train: resumes after epoch 3\ntrain: warning: slow\ntrain: no such file\n"
    assert shown.out == ""


def test_the_root_logger_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("train")
    root, handler = logging.getLogger(), logging.StreamHandler()
    root.addHandler(handler)
    try:
        logging.getLogger("darkroom").info("once")
    finally:
        root.removeHandler(handler)
    assert capsys.readouterr().err == "train: once\n"


def test_want_of_memory_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, reported_errors("train"):
        raise MemoryError
    assert (ended.value.code, capsys.readouterr().err) == (
        1,
        "train: out of memory; use a machine with more memory\n",
    )
