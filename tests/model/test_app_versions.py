"""Several versions in the app: the challenger beside the champion, and a new champion."""

import json
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app_server import RED, running
from darkroom.app import models
from darkroom.app.models import Served, open_served
from darkroom.traffic.comparison import compare
from darkroom.traffic.report import waiting_requests


@pytest.mark.parametrize("mode", ["split", "shadow"])
def test_the_challenger_answers_its_share_or_unseen(
    bundle: Path, turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    with running(bundle, tmp_path, mode=mode, share=0.5) as app:
        app.parts.models.challenger = challenger = open_served(str(turned))
        answers = [app.json("/predict", RED, X_Request_ID=f"key{number}")[1] for number in range(10)]
        app.wait(lambda: len(app.parts.recorder.log.read()) == (10 if mode == "split" else 20))
        log = app.parts.recorder.log.read()
    unseen = [answer["version"] == challenger.version for answer in answers]
    assert {answer["label"] for answer in answers} == ({"red", "blue"} if mode == "split" else {"red"})
    roles = {"champion", "challenger"} if mode == "split" else {"champion", "shadow"}
    assert set(log["role"]) == roles and any(unseen) == (mode == "split")
    assert set(log.loc[log["version"] == challenger.version, "label"]) == {"blue"}


def test_a_shadow_that_fails_leaves_the_champions_record(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    with running(bundle, tmp_path, mode="shadow") as app:
        broken: Any = SimpleNamespace(version="2", answers=SimpleNamespace(classes=["ruby"]), files=ExitStack())
        app.parts.models.challenger = broken
        app.json("/predict", RED, X_Request_ID="alone")
        app.wait(lambda: list(app.parts.recorder.log.read()["request"]) == ["alone"])
        assert app.json("/outcomes", b'{"request": "alone", "label": "ruby"}')[0] == 200
        assert b"darkroom_unlogged_total 1.0" in app.ask("GET", "/metrics")[1]


def test_outcomes_that_are_posted_decide_for_the_challenger(
    bundle: Path, turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    with running(bundle, tmp_path, mode="shadow") as app:
        parts = app.parts
        parts.models.challenger = challenger = open_served(str(turned))
        for number in range(10):
            app.json("/predict", RED, X_Request_ID=f"key{number}")
        versions = parts.models.champion.version, challenger.version
        chosen, log = parts.answering.compare, parts.recorder.log
        app.wait(lambda: len(waiting_requests(log.read(), *versions)) == 10)
        assert compare(log.read(), *versions, chosen).decision == "go on"
        outcomes = [{"request": f"key{number}", "label": "blue"} for number in range(10)]
        assert app.json("/outcomes", json.dumps(outcomes).encode()) == (200, {"recorded": 10, "unknown": 0})
        found = compare(log.read(), *versions, chosen)
    assert found.pairs and found.pairs.wins == 10 and found.decision == "promote"


class Store:
    """Where the aliases of a model point."""

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {"champion": "1"}

    def get_registered_model(self, _: str) -> "Store":
        return self


def test_a_new_champion_answers_without_a_restart(
    bundle: Path, turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folders = {"1": bundle, "2": turned}

    def opened(number: str) -> Served:
        return Served(open_served(str(folders[number])).answers, number)

    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    with running(bundle, tmp_path) as app:
        monkeypatch.setattr(models, "open_served", opened)
        store: Any = Store()
        served = app.parts.models
        served.champion = Served(served.champion.answers, "1")
        for champion, label in [("1", "red"), ("9", "red"), ("9", "red"), ("2", "blue"), ("1", "red")]:
            store.aliases = {"champion": champion, "challenger": "2"}
            served.look(store, "darkroom", ("champion", "challenger"))
            assert app.json("/predict", RED)[1]["label"] == label
        failures = b'darkroom_reloads_total{result="failed"} %.1f'
        assert served.challenger and failures % 1 in app.ask("GET", "/metrics")[1]
        store.aliases["champion"] = "9"
        monkeypatch.setattr(models, "RETRY_SECONDS", 0.0)
        for _ in range(2):  # the first failure was forgotten when version 2 was loaded
            served.look(store, "darkroom", ("champion",))
        assert failures % 3 in app.ask("GET", "/metrics")[1] and served.champion.asked == "1"
        folders["9"] = turned
        served.look(store, "darkroom", ("champion",))
        assert served.champion.asked == "9"
        assert sum("version 9" in message and "stays" in message for message in caplog.messages) == 2
        del store.aliases["challenger"]
        served.look(store, "darkroom", ("champion", "challenger"))
        assert served.challenger is None
