"""A served model in an environment of its own requirements: no TensorFlow, little memory, the same answers."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.models.architecture import build_network
from darkroom.package.bundle import write_bundle
from darkroom.package.registry import log_model
from defaults import default_params
from easy import model_params
from pictures import encode
from server import ask, listening

MEMORY = 300_000  # kB, of the server
SIDE = 32
pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pyfunc model, as MLflow fetches it."""
    network, params = (
        build_network(model_params(filters=[32, 64], dense=[32]), SIDE, 2),
        default_params(),
    )
    network.save(tmp_path / "model.keras")
    write_decision(tmp_path / "decision", Rule(1.0, 0.9, 0.5), Familiarity(np.eye(32, dtype=np.float32), 1, 1.0))
    image, noise = params.image.model_copy(update={"size": SIDE}), np.zeros((1, SIDE, SIDE, 3), np.uint8)
    parts = tmp_path / "model.keras", tmp_path / "decision", ["cat", "dog"], image, params.package, lambda: noise
    assert write_bundle(tmp_path / "bundle", *parts) == {"runtime": "onnx"}
    (tmp_path / "example.png").write_bytes(encode(Image.new("RGB", (SIDE, SIDE), "red")))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.create_experiment("small", (tmp_path / "artifacts").as_uri())
    logged = log_model(client.create_run(experiment).info.run_id, tmp_path / "bundle", tmp_path / "example.png")
    return Path(mlflow.artifacts.download_artifacts(logged.model_uri, dst_path=str(tmp_path / "fetched")))


@pytest.fixture
def programs(model: Path, tmp_path: Path) -> Path:
    """The commands of an environment with the model's requirements and nothing else."""
    uv, environment = [str(Path(sys.executable).with_name("uv"))], tmp_path / "environment"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), "-r"]
    subprocess.run([*install, str(model / "requirements.txt")], check=True)
    return environment / "bin"


@pytest.fixture
def server(model: Path, programs: Path, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Address and process group of MLflow's server in that environment."""
    command = [str(programs / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local"]
    env = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with listening(command, tmp_path, env, "/ping") as found:
        yield found


def memory(group: int) -> int:
    """Return the kB of the largest process of a group."""
    found = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == group:
                found.append(int(status.read_text().split("VmRSS:")[1].split()[0]))
        except (OSError, IndexError):  # it has ended
            continue
    return max(found)


def test_the_model_answers_without_tensorflow(model: Path, programs: Path, server: tuple[str, int]) -> None:
    address, group = server
    picture = base64.b64encode(encode(Image.effect_noise((SIDE, SIDE), 90).convert("RGB"))).decode()
    (answer,) = ask(address, {"dataframe_split": {"columns": ["image"], "data": [[picture]]}})
    (expected,) = mlflow.pyfunc.load_model(str(model)).predict(pd.DataFrame({"image": [picture]})).to_dict("records")
    assert answer["error"] is None and answer["label"] == expected["label"]
    assert answer["version"] == (model / "artifacts" / "bundle" / "digest").read_text()[:12]
    assert answer["score"] == pytest.approx(expected["score"], abs=1e-5)
    assert 0 < memory(group) < MEMORY
    names = subprocess.run([programs / "python", "-c", "import tensorflow"], capture_output=True, text=True).stderr
    assert "No module named 'tensorflow'" in names
