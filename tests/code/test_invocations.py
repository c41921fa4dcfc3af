"""The bodies of requests over HTTP, without a server."""

import json
import random
from dataclasses import replace
from itertools import islice

import pytest

from darkroom.package.invocations import LARGE, answer_body, one_large
from hostile_requests import JSON, bodies
from mean_colours import RED, answers

ASKED = answers(pixels=25_000_000)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["id", "image"], "data": [[1, RED], [2]]}},
        {"dataframe_records": [{"image": RED}, {"id": 2}]},
        {"inputs": {"image": [RED, None]}},
        {"inputs": [RED, None]},
        {"instances": [{"image": RED}, {"image": None}]},
        {"instances": [RED, None]},
    ],
)
def test_every_form_gives_an_answer_or_an_error_to_each_row(body: dict[str, object]) -> None:
    reply = answer_body(ASKED, json.dumps(body).encode(), "application/json; charset=utf-8")
    good, null = json.loads(reply.text)["predictions"]
    assert (reply.status, good["label"], null["error"][:13]) == (200, "red", "image is null")


def test_params_reach_the_answers() -> None:
    body = {"inputs": [RED], "params": {"top": 1, "explain": True}}
    (answer,) = json.loads(answer_body(ASKED, json.dumps(body).encode(), JSON).text)["predictions"]
    assert list(answer["probabilities"]) == ["red"] and "heat_map" in answer


def test_hostile_requests_get_a_status_of_theirs_or_errors_in_their_rows_and_no_echo() -> None:
    for kind, body in islice(bodies(random.Random(1)), 45):
        text, status = answer_body(ASKED, body, kind)
        if status == 200:
            assert all(row["error"] and not row["label"] for row in json.loads(text)["predictions"]), body[:200]
        else:
            assert 400 <= status < 500 and len(json.loads(text)["message"]) < 160
        assert "secret" not in text and body[:20].decode("latin1") not in text


def test_a_request_beyond_the_limits_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.package.invocations.json.loads", None)
    small, large = (replace(ASKED, limits={**ASKED.limits, "bytes": size}) for size in (1000, 10**8))
    assert answer_body(small, b"x" * 1001, JSON).status == 413
    for filler in (b"[],", b"{},", b"1,"):  # each takes many times its bytes once it is parsed
        assert answer_body(large, filler * 6_100_000, JSON).status == 413


def test_pictures_whose_turn_comes_too_late_have_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.package.invocations.SECONDS", -1.0)
    reply = answer_body(ASKED, json.dumps({"inputs": [RED, RED]}).encode(), JSON)
    assert reply.status == 200
    assert all(
        row["error"].startswith("the time of the request was over") for row in json.loads(reply.text)["predictions"]
    )


def test_a_large_request_waits_for_another_one_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.package.invocations.SECONDS", 0.05)
    large = json.dumps({"inputs": [RED], "filler": "x" * LARGE}).encode()
    with one_large:
        assert answer_body(ASKED, large, JSON).status == 429
    assert answer_body(ASKED, large, JSON).status == 200
