"""The server of the champion that a pipeline has released."""

import base64
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from project import ROOT, Project
from server import ask


def keras_probabilities(project: Project) -> dict[str, list[float]]:
    """Return the example's probabilities from Keras, calibrated, and from pyfunc, asked in a process of their own."""
    script = """
import base64, json, keras, mlflow, pandas
from pathlib import Path
from darkroom.decision.saving import load_decision
from darkroom.images.decode import decode
rule, _ = load_decision(Path("models/decision"))
picture = open("reports/example.png", "rb").read()
network = keras.saving.load_model("models/model.keras", compile=False)
model = mlflow.pyfunc.load_model("models:/darkroom@champion")
answer = model.predict(pandas.DataFrame({"image": [base64.b64encode(picture).decode()]}))
found = network.predict(decode(picture, 16, "squash", "white", "auto")[None], verbose=0)
print(json.dumps({"keras": rule.calibrate(found)[0].tolist(),
                  "pyfunc": list(answer["probabilities"][0].values())}))
"""
    answers: dict[str, list[float]] = json.loads(project.run("python", "-c", script).stdout.splitlines()[-1])
    return answers


def test_keras_pyfunc_and_http_agree_whatever_the_request_looks_like(project: Project, address: str) -> None:
    picture = (project.root / "reports" / "example.png").read_bytes()
    plain = base64.b64encode(picture).decode()
    forms = [plain, base64.urlsafe_b64encode(picture).decode().rstrip("="), f"data:image/png;base64,{plain}"]
    expected = keras_probabilities(project)
    for form in forms:
        for body in (
            {"dataframe_split": {"columns": ["image"], "data": [[form]]}},
            {"dataframe_records": [{"image": form}]},
            {"inputs": {"image": [form]}},
            {"inputs": [form]},
            {"instances": [{"image": form}]},
            {"instances": [form]},
        ):
            (answer,) = ask(address, body)
            np.testing.assert_allclose(list(answer["probabilities"].values()), expected["keras"], atol=1e-5)
            assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
    broken = [{"image": plain}, {"image": "no picture"}, {"image": base64.b64encode(b"text").decode()}]
    good, *bad = ask(address, {"dataframe_records": broken})
    assert good["error"] is None
    assert [row["label"] for row in bad] == [None, None]
    assert all(row["error"] for row in bad)
    np.testing.assert_allclose(expected["pyfunc"], expected["keras"], atol=1e-5)


def test_pixels_and_params_reach_the_server(project: Project, address: str) -> None:
    file = project.root / "reports" / "example.png"
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"))
    text = base64.b64encode(file.read_bytes()).decode()
    (decoded,) = ask(address, {"inputs": [text]})
    for body in ({"inputs": pixels.tolist()}, {"instances": [{"image": pixels.tolist()}]}):
        assert ask(address, body) == [decoded]
    (asked,) = ask(address, {"inputs": [text], "params": {"top": 2, "threshold": 1, "explain": True}})
    assert (len(asked["probabilities"]), asked["abstains"], asked["version"]) == (2, True, "1")
    assert base64.b64decode(asked["heat_map"]).startswith(b"\x89PNG")


def test_the_server_refuses_in_one_line_without_an_echo(address: str) -> None:
    for body in (b"secret" * 1_000_000, b"[" * 100_000, b'{"inputs": ["secret"], "params": {"top": "secret"}}'):
        request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        text = refused.value.read()
        assert refused.value.code == 400 and len(text) < 200 and b"secret" not in text


def test_the_curl_line_of_the_docs_answers_also_for_a_large_picture(project: Project, address: str) -> None:
    page = (ROOT / "docs" / "serving.md").read_text().split("In another terminal:")[1]
    line = page.split("```bash\n")[1].split("```")[0]
    rows = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)  # noise does not pack: 350 kB
    Image.fromarray(rows).save(project.root / "large.png")
    for picture in ("reports/example.png", "large.png"):
        command = line.replace("http://127.0.0.1:5001", address).replace("reports/example.png", picture)
        (answer,) = json.loads(project.run("bash", "-c", command).stdout)["predictions"]
        assert answer["error"] is None
        assert set(answer["probabilities"]) == {"circle", "cross", "square"}
    (project.root / "large.png").unlink()
