"""The app: a real server, with a real bundle whose network answers with the mean colours."""

import base64
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_server import BLUE, GREY, RED, App, bundle_of, running
from darkroom.app import connection, guard, models
from darkroom.app.models import Served, open_served
from darkroom.app.password import Password
from darkroom.core.errors import UserError
from darkroom.core.feedback import read_feedback
from darkroom.traffic.comparison import compare
from darkroom.traffic.report import waiting_requests

JSON = {"Content_Type": "application/json"}
FORM = "multipart/form-data; boundary=x"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("first"), (0, 1, 2))


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of another version, which takes red for blue."""
    return bundle_of(tmp_path_factory.mktemp("second"), (2, 1, 0))


@pytest.fixture(scope="module")
def app(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "example.png").write_bytes(RED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{folder / 'traffic.db'}")
        with running(bundle, folder) as found:
            yield found


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


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/predict", b"secret", 422, "not an image in a known format"),
        ("POST", "/predict", b"", 422, "is empty"),
        ("POST", "/predict?top=secret", RED, 400, "params: top must be a whole number, 1 or more"),
        ("POST", "/predict?secret=1", RED, 400, "params: there are only top, threshold, "),
        ("POST", "/predict", bytes(2_000_000), 413, "the request is larger than 1,000,000 bytes"),
        ("POST", "/outcomes", b"secret", 400, "the body is not JSON in UTF-8"),
        ("POST", "/outcomes", b'[{"request": 1}]', 400, "an outcome is an object such as "),
        ("POST", "/", b"secret", 400, "the form is not multipart/form-data"),
        ("POST", "/feedback?label=red&predicted=green&version=1", b"secret", 422, "not an image in a known format"),
        ("POST", "/feedback?label=../x&predicted=green&version=1", RED, 400, "label and predicted must be classes"),
        ("GET", "/static/../serve.py", None, 404, "there is no such address"),
        ("GET", "/static/serve.py", None, 404, "there is no such address"),
        ("DELETE", "/predict", None, 405, "this address takes another method"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    app: App, method: str, path: str, body: bytes | None, status: int, message: str
) -> None:
    found, content, headers = app.ask(method, path, body)
    error = json.loads(content)["error"]
    assert (found, headers["content-type"]) == (status, "application/json")
    assert error.startswith(message) and "\n" not in error
    assert "secret" not in error
    assert app.json("/predict", RED)[0] == 200


def test_a_key_of_other_characters_is_refused(app: App) -> None:
    assert app.json("/predict", RED, X_Request_ID="a b")[0] == 400


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
    text = app.ask("GET", "/metrics")[1].decode()
    version = app.parts.models.champion.version
    assert re.search(rf'darkroom_answers_total{{label="red",version="{version}"}} [1-9]', text)
    assert 'darkroom_requests_total{path="/predict",status="200"}' in text
    assert 'path="other",status="404"' in text and "nobody" not in text


def test_another_site_may_not_post(app: App) -> None:
    assert app.json("/predict", RED, Sec_Fetch_Site="cross-site")[0] == 403
    assert app.json("/predict", RED, Sec_Fetch_Site="same-origin")[0] == 200


def test_a_slow_or_endless_request_ends(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    for sent, status in [
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab", b"408"),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" * 1, b"408"),
        (b"GET /ping HTTP/1.1\r\nHo", b""),
        (b"", b""),
    ]:
        with socket.create_connection(("127.0.0.1", app.port), timeout=5) as client:
            client.sendall(sent)
            assert client.recv(1000)[9:12] == status
    assert app.parts.metrics.paths and app.json("/predict", RED)[0] == 200


def test_a_password_is_asked_for(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    (tmp_path / "secret").write_text("pässword: x\n", encoding="utf-8")
    with running(bundle, tmp_path, password=Password(tmp_path / "secret")) as app:
        right, wrong = (base64.b64encode(f"me:{word}".encode()).decode() for word in ("pässword: x", "pässword"))
        assert app.json("/predict", RED, Authorization=f"Basic {right}")[0] == 200
        for header in ("", "Basic", "Basic ???", f"Bearer {right}", f"Basic {wrong}"):
            status, _, headers = app.ask("GET", "/", Authorization=header)
            assert status == 401 and headers["www-authenticate"].startswith("Basic")
        assert app.ask("GET", "/ping")[0] == 200 and app.ask("GET", "/metrics")[0] == 401
    for text in (None, "", "\n"):
        (tmp_path / "secret").unlink() if text is None else (tmp_path / "secret").write_text(text)
        with pytest.raises(UserError, match="password"):
            Password(tmp_path / "secret")


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
    bundle: Path, turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        assert (
            served.challenger
            and app.ask("GET", "/metrics")[1].count(b'darkroom_reloads_total{result="failed"} 1.0') == 1
        )
        del store.aliases["challenger"]
        served.look(store, "darkroom", ("champion", "challenger"))
        assert served.challenger is None
