"""The app: a real server, with a real bundle whose network answers with the mean colours."""

import base64
import json
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from app_server import BLUE, GREY, RED, App
from darkroom.app import programs
from darkroom.core.feedback import read_feedback

JSON = {"Content_Type": "application/json"}
FORM = "multipart/form-data; boundary=x"


def form(*files: bytes, explain: bool = False) -> bytes:
    parts = [
        b'Content-Disposition: form-data; name="pictures"; filename="p%d.png"\r\n\r\n%s' % (number, data)
        for number, data in enumerate(files)
    ]
    if explain:
        parts.append(b'Content-Disposition: form-data; name="explain"\r\n\r\ntrue')
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"


def test_predict_answers_on_the_body(app: App) -> None:
    status, answer = app.json("/predict?top=2&explain=true", RED, X_Request_ID="key-1")
    assert status == 200 and (answer["label"], answer["set"], answer["error"]) == ("red", ["red"], None)
    assert list(answer["probabilities"]) == ["red", "green"] and answer["request"] == "key-1"
    assert base64.b64decode(answer["heat_map"]).startswith(b"\x89PNG")
    assert answer["version"] == app.parts.models.champion.version != ""
    assert app.json("/predict?threshold=1&coverage=0.5", GREY)[1]["abstains"]


TEXT = base64.b64encode(RED).decode()
FORMS: list[dict[str, Any]] = [
    {"inputs": [TEXT, "no picture"]},
    {"instances": [{"image": TEXT}], "params": {"top": 1}},
    {"dataframe_records": [{"image": TEXT}, {"image": None}]},
    {"dataframe_split": {"columns": ["image"], "data": [[TEXT]]}, "params": {"coverage": 0.9}},
]


@pytest.mark.parametrize("body", FORMS, ids=lambda body: next(iter(body)))
def test_invocations_answer_as_mlflow_does(app: App, bundle: Path, body: dict[str, Any]) -> None:
    from mlflow.pyfunc.scoring_server import invocations

    from darkroom.package.predictor import Predictor, load_code

    class Model:
        metadata = None

        def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
            plain = Predictor()
            plain.code, plain.answers = load_code(bundle), app.parts.models.champion.answers
            return plain.predict(None, data, params)

    text = json.dumps(body)
    expected = invocations(text, "application/json", Model(), None)
    status, content, headers = app.ask("POST", "/invocations", text, **JSON)
    assert (status, content.decode(), headers["content-type"]) == (200, expected.response, expected.mimetype)


def test_pings_are_mlflows(app: App) -> None:
    assert [app.ask("GET", path)[:2] for path in ("/ping", "/health")] == [(200, b"\n")] * 2
    assert re.fullmatch(rb"\d+\.\d+\.\d+", app.ask("GET", "/version")[1])


def test_without_mlflow_there_is_no_version(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(programs, "version", missing)
    assert app.ask("GET", "/version")[0] == 404


def test_the_page_answers_without_a_script(app: App) -> None:
    status, content, headers = app.ask("POST", "/", form(RED, b"broken", GREY, explain=True), Content_Type=FORM)
    html = content.decode()
    assert status == 200 and html.count("<article") == 3 and html.count("data:image/png;base64") == 2
    assert "not an image in a known format" in html and "does not look like the training pictures" in html
    assert "default-src 'none'" in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"""(?:src|href|action)="(?:https?:)?//|<script>|style=""", html)
    assert app.ask("POST", "/", form(), Content_Type=FORM)[0] == 400


def test_feedback_keeps_the_picture_and_is_an_outcome(app: App) -> None:
    request = app.json("/predict", BLUE, X_Request_ID="wrong")[1]["request"]
    query = f"label=red&predicted=blue&version=7&request={request}"
    status, saved = app.json(f"/feedback?{query}", BLUE)
    (row,) = read_feedback(app.folder / "feedback")
    assert status == 200 and row == {"path": saved["saved"], "label": "red", "predicted": "blue", "version": "7"}
    assert (app.folder / "feedback" / row["path"]).read_bytes() == BLUE and row["path"].endswith(".png")
    app.wait(lambda: "red" in set(app.parts.recorder.log.read()["outcome"]))


def test_answers_are_logged_with_facts_and_take_outcomes(app: App) -> None:
    app.json("/invocations", json.dumps({"inputs": [TEXT, "broken"]}), **JSON, X_Request_ID="batch")
    assert app.json("/outcomes", b'{"request": "batch/0", "label": "red"}') == (200, {"recorded": 1, "unknown": 0})
    assert app.json("/outcomes", b'[{"request": "nobody", "label": "red"}]')[0] == 404
    log = app.parts.recorder.log.read().set_index("request")
    first, second = log.loc["batch/0"], log.loc["batch/1"]
    assert (first["label"], first["width"], first["outcome"], first["role"]) == ("red", 9, "red", "champion")
    assert 0.2 < first["brightness"] < 0.4 and first["features"].shape == (3,) and second["error"]


def test_metrics_count_what_was_answered(app: App) -> None:
    app.json("/predict", RED)
    app.ask("GET", "/nobody/knows/this")
    app.ask("GET", "/static/app.js")
    text = app.ask("GET", "/metrics")[1].decode()
    version = app.parts.models.champion.version
    assert re.search(rf'darkroom_answers_total{{label="red",version="{version}"}} [1-9]', text)
    assert 'darkroom_requests_total{path="/predict",status="200"}' in text
    assert 'path="other",status="404"' in text and "nobody" not in text
    assert 'darkroom_requests_total{path="/static",status="200"}' in text
