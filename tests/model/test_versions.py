"""Registered versions in a real store: each with its own code, and one champion however many move it at once."""

import base64
import json
import os
import pwd
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from darkroom.package.gate import Candidate, Verdict
from darkroom.package.promotion import promote
from mlflow import MlflowClient
from mlflow.pyfunc.scoring_server import invocations
from PIL import Image

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.package import bundle
from darkroom.package.bundle import LIBRARY, bundle_digest, serving_code, write_bundle
from darkroom.package.registry import PROMOTE, get_champion, record_verdict, register
from darkroom.package.release import closing
from darkroom.params.load import load_params
from darkroom.tracking.champion import FACTS_TAG
from pictures import ROOT, encode

RED = base64.b64encode(encode(Image.new("RGB", (9, 9), "red"))).decode()
COLOURS = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    folder = tmp_path_factory.mktemp("store")
    os.environ["MLFLOW_TRACKING_URI"] = uri = f"sqlite:///{folder / 'mlflow.db'}"
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
    params, sent = load_params(ROOT / "params.yaml"), folder / "bundle"
    image = params.image.model_copy(update={"size": 8})
    pixels = keras.Input((8, 8, 3))
    means = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(pixels))
    last = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity", name="probabilities")
    keras.Model(pixels, last(means)).save(folder / "model.keras")
    write_decision(folder / "decision", Rule(1.0, 0.9, 0.5), Familiarity(np.eye(3, dtype=np.float32), 1, 1.0))
    package, seen = params.package.model_copy(update={"runtime": runtime}), np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "LIBRARY", library)
        write_bundle(sent, folder / "model.keras", folder / "decision", COLOURS, image, package, seen)
    (folder / "example.png").write_bytes(encode(Image.new("RGB", (8, 8), "red")))
    run = client.create_run(client.get_experiment_by_name("test").experiment_id)
    content = Candidate(content=bundle_digest(sent))
    return register(client, "code", run.info.run_id, sent, folder / "example.png", content)


def answered(version: Any) -> tuple[str, str]:
    """Return the label of a red picture, and the version that the answer names."""
    loaded = mlflow.pyfunc.load_model(f"models:/code/{version.version}")
    answer = loaded.predict(pd.DataFrame({"image": [RED]})).iloc[0]
    return answer["label"], answer["version"]


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


READS = ("search_model_versions", "get_model_version_by_alias", "set_registered_model_alias")
WRITES = ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias")


class Interrupted(MlflowClient):
    """A client for which something else happens before the call number `at` of those in `calls`."""

    def __init__(self, calls: tuple[str, ...], at: int, other: Callable[[], Any]) -> None:
        super().__init__()
        self.calls, self.left, self.other = calls, at, other

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name in (*READS, *WRITES) and name in self.calls:
            self.left -= 1
            if self.left == -1:
                self.other()
        return value


def add_version(client: MlflowClient, name: str, accuracy: float, **facts: Any) -> tuple[str, Candidate]:
    known: dict[str, Any] = {"content": f"{name} {accuracy}", "network": f"{accuracy}", "classes": ["a"], "data": "d"}
    candidate = Candidate(**known | facts, scores={"validation": {"accuracy": accuracy}})
    version = client.create_model_version(name, "file:///nowhere", tags={FACTS_TAG: candidate.to_json()})
    return str(version.version), candidate


def aliases(client: MlflowClient, name: str) -> dict[str, str]:
    return {alias: str(version) for alias, version in client.get_registered_model(name).aliases.items()}


def some(calls: int, quick: set[int]) -> list[Any]:
    """Return the numbers of calls; those that are not quick are left to the slow tests."""
    return [pytest.param(at, marks=() if at in quick else pytest.mark.slow) for at in range(calls)]


@pytest.mark.parametrize("at", some(9, {2, 4, 5}))
@pytest.mark.parametrize("scores", [(0.8, 0.9), (0.9, 0.8)])
def test_of_two_clones_the_better_model_wins_whenever_they_meet(
    client: MlflowClient, at: int, scores: tuple[float, float]
) -> None:
    name = f"two-{at}-{scores[0]}"
    client.create_registered_model(name)
    promote(client, name, *add_version(client, name, 0.5), "accuracy")
    first, second = (add_version(client, name, score) for score in scores)
    interrupted = Interrupted(READS, at, lambda: promote(client, name, *second, "accuracy"))
    promote(interrupted, name, *first, "accuracy")
    assert interrupted.left < 0
    better, worse = (first, second) if scores[0] > scores[1] else (second, first)
    assert aliases(client, name)["champion"] == better[0]
    assert aliases(client, name).get("challenger") in (None, worse[0])


@pytest.mark.parametrize("at", some(3, {1}))
def test_of_two_first_models_with_other_classes_one_is_a_challenger(client: MlflowClient, at: int) -> None:
    name = f"first-{at}"
    client.create_registered_model(name)
    first, second = add_version(client, name, 0.5), add_version(client, name, 0.9, classes=["a", "b"])
    promote(Interrupted(READS, at + 2, lambda: promote(client, name, *second, "accuracy")), name, *first, "accuracy")
    kept = aliases(client, name)
    promote(client, name, *(second if kept["champion"] == first[0] else first), "accuracy")
    assert aliases(client, name)["champion"] == kept["champion"]


@pytest.mark.parametrize("at", some(11, {3, 8, 9, 10}))
def test_what_a_killed_process_left_is_completed(client: MlflowClient, at: int) -> None:
    name = f"killed-{at}"
    client.create_registered_model(name)
    old = add_version(client, name, 0.5)
    promote(client, name, *old, "accuracy")
    new = add_version(client, name, 0.9)

    def kill() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promote(Interrupted(WRITES, at, kill), name, *new, "accuracy")
    if aliases(client, name)["champion"] == new[0]:
        assert client.get_model_version(name, new[0]).tags["darkroom.gate.released"] == "true"
    verdict = promote(client, name, *new, "accuracy")
    assert verdict == Verdict(True, ["validation accuracy 0.9000 is better than the champion's 0.5000"])
    assert aliases(client, name) == {"champion": new[0], "previous": old[0]}


def test_what_cannot_be_compared_is_a_challenger_until_a_person_promotes_it(client: MlflowClient) -> None:
    client.create_registered_model("manual")
    champion = add_version(client, "manual", 0.5)
    promote(client, "manual", *champion, "accuracy")
    number, other = add_version(client, "manual", 0.9, classes=["a", "b"])
    assert promote(client, "manual", number, other, "accuracy").manual
    assert aliases(client, "manual") == {"champion": champion[0], "challenger": number}
    command = client.get_model_version("manual", number).tags["darkroom.gate.promote"]
    assert command == PROMOTE.format(name="manual", version=number)
    exec(shlex.split(command)[2])
    assert aliases(client, "manual")["champion"] == number
    assert promote(client, "manual", number, other, "accuracy") == Verdict(True, ["it is the champion already"])
    assert aliases(client, "manual") == {"champion": number}


def test_a_champion_from_elsewhere_has_no_scores(client: MlflowClient) -> None:
    client.create_registered_model("elsewhere")
    version = client.create_model_version("elsewhere", "file:///nowhere")
    client.set_registered_model_alias("elsewhere", "champion", version.version)
    assert get_champion(client, "elsewhere")[1] == Candidate()
    verdict = promote(client, "elsewhere", *add_version(client, "elsewhere", 0.9), "accuracy")
    assert not verdict.released and "no recorded scores" in verdict.reasons[0]


def test_a_user_without_an_entry_in_passwd_is_recorded_by_number(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_registered_model("nobody")
    number, _ = add_version(client, "nobody", 0.5)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    record_verdict(client, "nobody", number, Verdict(True, ["it is the first"]))
    assert client.get_model_version("nobody", number).tags["darkroom.gate.by"] == str(os.getuid())


@pytest.mark.parametrize(("before", "after"), [("RUNNING", "FAILED"), ("FINISHED", "FINISHED")])
def test_a_failed_release_leaves_a_run_that_was_finished_before(client: MlflowClient, before: str, after: str) -> None:
    run_id = client.create_run(client.get_experiment_by_name("test").experiment_id).info.run_id
    client.update_run(run_id, before)
    with pytest.raises(KeyboardInterrupt), closing(client, client.get_run(run_id)):
        raise KeyboardInterrupt
    assert client.get_run(run_id).info.status == after
