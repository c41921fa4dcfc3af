"""Registered versions in a real store: each with its own code."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.pyfunc.scoring_server import invocations
from PIL import Image

from darkroom.core.errors import UserError
from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.gate.verdict import Candidate
from darkroom.package import bundle
from darkroom.package.bundle import LIBRARY, bundle_digest, serving_code, write_bundle
from darkroom.package.measured import measure
from darkroom.package.registry import register
from darkroom.package.release import closing
from defaults import default_params
from pictures import encode

RED = base64.b64encode(encode(Image.new("RGB", (9, 9), "red"))).decode()
COLOURS = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, new_store: Path) -> Iterator[MlflowClient]:
    folder = tmp_path_factory.mktemp("versions")
    os.environ["MLFLOW_TRACKING_URI"] = uri = f"sqlite:///{shutil.copy(new_store, folder)}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    mlflow.set_experiment(experiment_id=client.create_experiment("test", (folder / "artifacts").as_uri()))
    yield client
    del os.environ["MLFLOW_TRACKING_URI"]
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def model(client: MlflowClient, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a registered version of a network that answers with the mean colours."""
    return registered(client, tmp_path_factory.mktemp("model"), LIBRARY, "auto")


def registered(client: MlflowClient, folder: Path, library: Path, runtime: str) -> Any:
    params, sent = default_params(), folder / "bundle"
    image = params.image.model_copy(update={"size": 8})
    pixels = keras.Input((8, 8, 3))
    means = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(pixels))
    last = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity", name="probabilities")
    keras.Model(pixels, last(means)).save(folder / "model.keras")
    write_decision(folder / "decision", Rule(1.0, 0.9, 0.5), Familiarity(np.eye(3, dtype=np.float32), 1, 1.0))
    package, seen = params.package.model_copy(update={"runtime": runtime}), np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "LIBRARY", library)
        write_bundle(sent, folder / "model.keras", folder / "decision", COLOURS, image, package, lambda: seen)
    (folder / "example.png").write_bytes(encode(Image.new("RGB", (8, 8), "red")))
    run = client.create_run(client.get_experiment_by_name("test").experiment_id)
    content = Candidate(content=bundle_digest(sent))
    return register(client, "code", run.info.run_id, sent, folder / "example.png", content)


def answered(version: Any) -> tuple[str, str]:
    """Return the label of a red picture, and the version that the answer names."""
    loaded = mlflow.pyfunc.load_model(f"models:/code/{version.version}")
    answer = loaded.predict(pd.DataFrame({"image": [RED]})).iloc[0]
    return answer["label"], answer["version"]


@pytest.mark.usefixtures("model")
def test_the_gate_measures_what_is_served(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "model0"
    gate = default_params().package.gate.model_copy(update={"latency": 1.0})
    found = measure(folder / "bundle", folder / "example.png", {"validation": {"accuracy": 0.5}}, gate)
    assert found.milliseconds is not None and 0 < found.milliseconds < 1000
    assert 0.1 < found.kilobytes < 1000 and found.scores == {"accuracy": 0.5}


def test_versions_in_one_process_keep_decoding_and_runtime(model: Any, client: MlflowClient, tmp_path: Path) -> None:
    for name, text in serving_code(LIBRARY).items():
        (tmp_path / "library" / name).parent.mkdir(parents=True, exist_ok=True)
        if name == "images/decode.py":  # colours in the order blue, green, red
            text += (
                "\n_decode = decode\n\ndef decode(*given, **named):\n    return _decode(*given, **named)[..., ::-1]\n"
            )
        (tmp_path / "library" / name).write_text(text)
    turned = registered(client, tmp_path, tmp_path / "library", "keras")
    assert [answered(version) for version in (model, turned, model)] == [("red", "1"), ("blue", "2"), ("red", "1")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"inputs": [RED, None]}, [None, "image is null; send the picture as base64 text"]),
        ({"dataframe_records": [{"image": None}]}, ["image is null; send the picture as base64 text"]),
        ({"instances": [{"image": "secret!"}]}, ["image is not base64"]),
        ({"inputs": []}, []),
    ],
)
def test_the_scoring_server_answers(model: Any, body: dict[str, Any], expected: list[str | None]) -> None:
    loaded = mlflow.pyfunc.load_model(f"models:/code/{model.version}")
    answer = invocations(json.dumps(body), "application/json", loaded, loaded.metadata.get_input_schema()).response
    assert [row["error"] for row in json.loads(answer)["predictions"]] == expected


@pytest.mark.parametrize("rows", [[], [{"picture": "secret"}]])
def test_a_request_without_pictures_is_refused_without_quoting_it(model: Any, rows: list[dict[str, str]]) -> None:
    loaded = mlflow.pyfunc.load_model(f"models:/code/{model.version}")
    with pytest.raises(mlflow.MlflowException) as error:
        body = json.dumps({"dataframe_records": rows})
        invocations(body, "application/json", loaded, loaded.metadata.get_input_schema())
    answer = error.value.serialize_as_json()
    assert error.value.get_http_status_code() == 400
    assert "each row needs the column `image`" in answer and "secret" not in answer


@pytest.mark.parametrize(("before", "after"), [("RUNNING", "FAILED"), ("FINISHED", "FINISHED")])
def test_a_failed_release_leaves_a_run_that_was_finished_before(client: MlflowClient, before: str, after: str) -> None:
    run_id = client.create_run(client.get_experiment_by_name("test").experiment_id).info.run_id
    client.update_run(run_id, before)
    with pytest.raises(KeyboardInterrupt), closing(client, client.get_run(run_id)):
        raise KeyboardInterrupt
    assert client.get_run(run_id).info.status == after


def test_a_model_of_another_size_is_not_packaged(tmp_path: Path) -> None:
    pixels = keras.Input((8, 8, 3))
    keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(pixels)).save(tmp_path / "model.keras")
    with pytest.raises(UserError, match=r"takes 8 pixels a side, image\.size is 16"):
        bundle._write_graphs(tmp_path, lambda: np.zeros((1, 16, 16, 3), np.uint8))
