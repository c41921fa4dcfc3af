"""The log of traffic, in real SQLite files and a real PostgreSQL server, and who answers a request."""

import json
import multiprocessing
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.traffic.log import TrafficLog
from darkroom.traffic.record import Record
from darkroom.traffic.routing import goes_to_challenger
from postgres import running_server
from records import RECORD

FAILED = replace(
    RECORD,
    request="broken",
    label=None,
    score=None,
    probabilities={},
    abstains=None,
    unfamiliar=None,
    error="no picture",
    width=None,
    height=None,
    brightness=None,
    features=None,
    picture=None,
)


def numbered(*numbers: int) -> list[Record]:
    return [replace(RECORD, request=f"r{number}") for number in numbers]


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'traffic.db'}"


def test_what_was_answered_is_read_again(address: str) -> None:
    log = TrafficLog(address, 100)
    assert log.read().empty and not log.record_outcomes([("r0", "cat")])
    assert not Path(address.removeprefix("sqlite:///")).exists()
    log.add([RECORD, FAILED])
    first, second = TrafficLog(address, 100).read().to_dict("records")
    assert first["version"] == "3" and first["label"] == "cat" and first["abstains"] is False
    assert json.loads(first["probabilities"]) == RECORD.probabilities
    assert first["features"].tolist() == [0, 0.125, 0.25, 0.375]
    assert second["error"] == "no picture" and second["features"] is None
    assert log.read(1, ["request"])["request"].tolist() == ["broken"]
    assert log.picture("r0") is None


def test_an_outcome_belongs_to_every_answer_on_the_request(address: str) -> None:
    log = TrafficLog(address, 100)
    log.add([RECORD, replace(RECORD, version="4", role="shadow"), *numbered(1)])
    assert log.record_outcomes([("r0", "dog")]) and log.record_outcomes([("r0", "cow\0\ud800")])
    assert not log.record_outcomes([("r7", "dog")])
    assert log.read()["outcome"].dropna().tolist() == ["cow?", "cow?"]


def test_only_the_latest_answers_and_pictures_are_kept(address: str) -> None:
    log = TrafficLog(address, 40, pictures=3)
    for start in range(0, 200, 7):
        log.add(numbered(*range(start, start + 7)))
        kept = log.read(columns=["request"])["request"].tolist()
        assert len(kept) <= 40 and kept[-1] == f"r{start + 6}"
    assert len(kept) >= 38
    assert [log.picture(f"r{number}") for number in (199, 200, 202)] == [None, b"a picture", b"a picture"]
    TrafficLog(address, 5).add(numbered(300))
    assert len(log.read()) == 5 and log.picture("r202") is None


def test_a_challenger_whose_answers_were_deleted_is_known(address: str) -> None:
    log = TrafficLog(address, 40)
    assert not log.has_cut_off("4")
    log.add(numbered(*range(30)))
    log.add([replace(RECORD, version="4", role="shadow")] * 2)
    log.add(numbered(*range(20)))
    assert len(log.read()) <= 40 and not log.has_cut_off("4")
    for _ in range(3):  # in the last of them nothing of the challenger's is left
        log.add(numbered(*range(15)))
    assert log.has_cut_off("4") and not log.has_cut_off("3")


def write_some(address: str, process: int) -> None:
    log = TrafficLog(address, 1000)
    for number in range(10):
        log.add([replace(RECORD, request=f"{process}-{number}")])
        log.record_outcomes([(f"{process}-{number}", "dog")])


def check_writing_at_once(address: str) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_some, args=(address, process)) for process in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert TrafficLog(address, 1000).read()["outcome"].tolist() == ["dog"] * 40


def test_processes_create_it_and_write_at_once(address: str) -> None:
    check_writing_at_once(address)


@pytest.fixture
def postgresql() -> Iterator[str]:
    with running_server() as address:
        yield address


@pytest.mark.slow
def test_a_server_of_postgresql_does_as_well(postgresql: str) -> None:
    check_writing_at_once(postgresql)
    log = TrafficLog(postgresql, 40, pictures=3)
    log.add([replace(RECORD, request="\0\ud800"), FAILED, *numbered(*range(36))])
    kept = log.read()
    assert 38 <= len(kept) <= 40 and kept["features"].iloc[-1].tolist() == [0, 0.125, 0.25, 0.375]
    assert log.picture("r35") == b"a picture" and log.picture("?") is None and log.record_outcomes([("?", "cat\0")])
    with pytest.raises(UserError, match=r"postgresql://\*\*\*@") as error:
        TrafficLog(postgresql.replace("s3cret", "wr0ng"), 10).read()
    assert "wr0ng" not in str(error.value)


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, address: str) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database" * 1000)
    addresses = {
        f"sqlite:///{damaged}": "not a database",
        f"sqlite:///{damaged / 'traffic.db'}": "damaged.db",
        "postgresql+pg8000://anna:s3cret@localhost/x": "pg8000",
        "nothing": "DARKROOM_TRAFFIC_URI",
        "oracle9://anna:s3cret@host": "oracle9",
    }
    for bad, said in addresses.items():
        with pytest.raises(UserError, match=said) as error:
            TrafficLog(bad, 10).add([RECORD])
        assert "\n" not in str(error.value) and "s3cret" not in str(error.value)
    TrafficLog(address, 10).add([RECORD])
    with sqlite3.connect(tmp_path / "traffic.db") as connection:
        connection.execute("UPDATE darkroom_traffic SET version = 99")
    with pytest.raises(UserError, match="version 99"):
        TrafficLog(address, 10).read()


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_those_who_are_there(request_key: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert goes_to_challenger(request_key, more) or not goes_to_challenger(request_key, less)
    assert goes_to_challenger(request_key, 1) and not goes_to_challenger(request_key, 0)


@given(st.text(alphabet="abc-0", max_size=8), st.floats(0.01, 0.99))
def test_the_share_is_kept_for_keys_of_any_form(prefix: str, share: float) -> None:
    count = 400
    found = sum(goes_to_challenger(f"{prefix}{number}", share) for number in range(count))
    assert abs(found - count * share) < 5 * (count * share * (1 - share)) ** 0.5 + 1
