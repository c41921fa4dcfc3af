"""What the app refuses: wrong, large, slow and foreign requests."""

import base64
import json
import socket
from pathlib import Path

import numpy as np
import pytest

from app_server import RED, App, running
from darkroom.app import connection, feedback, guard, outcomes
from darkroom.app.multipart import read_form
from darkroom.app.password import Password
from darkroom.app.recording import Event
from darkroom.app.replies import Refused
from darkroom.app.serve import listen
from darkroom.core.errors import UserError

FORM = "multipart/form-data; boundary=x"


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
        ("POST", "/outcomes", b'[{"request": "a", "label": "secret"}]', 400, "label is not one of the classes"),
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


def test_a_wrong_method_is_told_the_right_one(app: App) -> None:
    assert app.ask("DELETE", "/predict")[2]["allow"] == "POST"


def test_a_key_of_other_characters_is_refused(app: App) -> None:
    assert app.json("/predict", RED, X_Request_ID="a b")[0] == 400


def test_another_site_may_not_post(app: App) -> None:
    assert app.json("/predict", RED, Sec_Fetch_Site="cross-site")[0] == 403
    assert app.json("/predict", RED, Sec_Fetch_Site="same-origin")[0] == 200
    for origin in ("null", "http://example.org", "http://localhost:1"):
        assert app.json("/predict", RED, Origin=origin)[0] == 403
    assert app.json("/predict", RED, Origin=f"http://127.0.0.1:{app.port}")[0] == 200


def test_a_name_that_was_made_to_point_here_is_refused(app: App) -> None:
    found = [app.ask("GET", "/", Host=host)[0] for host in ("localhost:8080", "[::1]:1", "127.0.0.2", "evil.org", "")]
    assert found == [200, 200, 200, 403, 403]


def part(header: str, content: bytes = RED) -> bytes:
    return b"--x\r\nContent-Disposition: form-data; name=pictures; %s\r\n\r\n%s\r\n" % (header.encode(), content)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (part("filename=a" + "; a=b" * 1000), "a part of the form has too long a header"),
        (51 * part("filename=a"), "a form may hold 50 pictures"),
        (2000 * part("filename=a"), "a form may hold 50 pictures"),
        (part("a=b", bytes(2000)), "a field of the form may hold 1,000 bytes"),
        (part("filename=a")[:-2], "the form is incomplete"),
        (part("filename*=a%00b''c"), "the name of a file in the form cannot be read"),
    ],
)
def test_a_form_is_bounded(body: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        read_form(FORM, body + b"--x--\r\n")


def test_a_file_of_a_form_may_have_any_name() -> None:
    names = ("filename*=utf-8''%e2%82%ac", "filename*=a''%80", "filename*=utf-8''a%00b", "filename=€")
    _, files = read_form(FORM, b"".join(map(part, names)) + b"--x--\r\n")
    assert [name for name, _ in files] == ["€", "\x80", "ab", "€"]
    assert all(bytes(data) == RED for _, data in files)


def test_outcomes_are_bounded_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "BYTES", 10)
    with pytest.raises(Refused, match="1,000 outcomes"):
        outcomes.read_outcomes(b"[" + b"[]," * 10, ["red"])


def test_feedback_is_a_picture_of_the_allowed_size(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.parts.models.champion.answers.limits, "picture_bytes", 10)
    assert app.json("/feedback?label=red&predicted=green&version=1", RED)[0] == 413


def test_numbers_that_wait_for_the_log_count_as_what_they_hold(app: App) -> None:
    served, values = app.parts.models.champion, [[[0] * 200] * 100, np.zeros((4, 5), np.uint8), b"abc"]
    detailed = served.answers.detailed([RED])[0]
    sizes = [Event("key", 0.0, served, "champion", value, detailed, 1.0).size for value in values]
    assert sizes == [40 * 200 * 100, 20, 3]


def test_an_address_of_another_machine_is_no_matter_of_the_port() -> None:
    with pytest.raises(UserError, match="give another one with --host"):
        listen("192.0.2.1", 0)


def test_feedback_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = feedback.Feedback(tmp_path, 3 * len(RED))
    first = saved.save(RED, "red", "blue", "1")
    with pytest.raises(Refused, match="feedback_bytes"):
        saved.save(bytes(3 * len(RED)), "red", "blue", "1")
    first.write_bytes(bytes(3 * len(RED)))  # counted again when the folder is full, not at each request
    saved.save(RED + b"1", "red", "blue", "1")
    monkeypatch.setattr(feedback, "COUNT_SECONDS", -1.0)
    with pytest.raises(Refused):
        saved.save(RED + bytes(2 * len(RED)), "red", "blue", "1")


def test_a_slow_or_endless_request_ends(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for part, sent, status in [
        (guard, b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab", b"408"),
        (guard, b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n", b"413"),
        (guard, b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n", b"408"),
        (connection, b"GET /ping HTTP/1.1\r\nHo", b""),
        (connection, b"", b""),
    ]:
        with monkeypatch.context() as limit:
            limit.setattr(part, "BODY_SECONDS" if part is guard else "HEADER_SECONDS", 0.2)
            with socket.create_connection(("127.0.0.1", app.port), timeout=30) as client:
                client.sendall(sent)
                assert client.recv(1000)[9:12] == status
    assert app.json("/predict", RED)[0] == 200


def test_a_password_is_asked_for(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_TRAFFIC_URI", f"sqlite:///{tmp_path / 'traffic.db'}")
    (tmp_path / "secret").write_text("pässword: x\n", encoding="utf-8-sig")
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
