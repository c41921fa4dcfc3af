"""Several machines release at one real MLflow server at once, and people decide there."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from PIL import Image

from commands import run
from darkroom.gate.versions import aliases_of, all_versions, read_candidate, read_verdict
from pictures import ROOT, encode, inside
from server import listening

pytestmark = pytest.mark.slow
COLOURS = {0.6: "red", 0.75: "green", 0.9: "blue"}  # what the model with this accuracy takes red for
BUNDLES = """
import sys
from pathlib import Path
from app_server import bundle_of

for place, order in enumerate([(0, 1, 2), (1, 0, 2), (2, 1, 0)]):
    folder = Path(sys.argv[1], str(place))
    folder.mkdir()
    bundle_of(folder, order)
"""
MACHINE = """
import os, sys
from pathlib import Path
from mlflow import MlflowClient
from darkroom.gate.verdict import Candidate
from darkroom.package.registry import register
from registry import release

class Killed(MlflowClient):
    def set_registered_model_alias(self, *_):
        os.kill(os.getpid(), 9)

folder, accuracy, kind = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
client = Killed() if kind == "killed" else MlflowClient()
known = Candidate(kind + sys.argv[2], sys.argv[2], ["a"], "d", {"validation": {"accuracy": accuracy}})
print("ready", flush=True)
sys.stdin.readline()
run_id = client.create_run("0").info.run_id
version = register(client, "machines", run_id, folder / "bundle", folder / "example.png", known)
print(version.version, release(client, "machines", str(version.version), known).released, flush=True)
"""


def python(code: str, *words: str) -> "subprocess.Popen[str]":
    folders = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    env = {**os.environ, "PYTHONPATH": folders}
    command = [sys.executable, "-c", code, *words]
    return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server, also that of the commands; it keeps the artefacts too."""
    folder = tmp_path_factory.mktemp("server")
    store, artefacts = f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artefacts")
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", store, "--artifacts-destination", artefacts]
    with listening(command, folder) as (address, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Path]:
    """A bundle for each accuracy, made elsewhere: TensorFlow stays out of this process."""
    folder = tmp_path_factory.mktemp("bundles")
    assert python(BUNDLES, str(folder)).wait(300) == 0
    for place in range(3):
        (folder / str(place) / "example.png").write_bytes(encode(Image.new("RGB", (8, 8), "red")))
    return {accuracy: folder / str(place) for place, accuracy in enumerate(COLOURS)}


def released_at_once(folders: dict[float, Path], *accuracies: float, kind: str = "") -> list[int]:
    """Let a process for each accuracy register its model and release it; return their exit statuses."""
    machines = [python(MACHINE, str(folders[accuracy]), str(accuracy), kind) for accuracy in accuracies]
    for machine in machines:
        assert machine.stdout and machine.stdout.readline() == "ready\n"
    for machine in machines:
        assert machine.stdin
        machine.stdin.write("go\n")
        machine.stdin.flush()
    for machine in machines:
        machine.communicate(timeout=300)
    return [machine.returncode for machine in machines]


def aliases(client: MlflowClient) -> dict[str, float | None]:
    """Return the accuracy of the version that each alias stands for."""
    found = aliases_of(client, "machines")
    versions = {name: client.get_model_version("machines", number) for name, number in found.items()}
    return {name: read_candidate(version).score("accuracy") for name, version in versions.items()}


def answered(accuracy: float | None) -> None:
    """Check that the champion can be fetched from the server and is the model of this accuracy."""
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    model = mlflow.pyfunc.load_model("models:/machines@champion")
    picture = base64.b64encode(encode(Image.new("RGB", (8, 8), "red"))).decode()
    assert accuracy and model.predict([picture])["label"].tolist() == [COLOURS[accuracy]]


def test_machines_at_one_server_leave_one_champion(
    server: str, folders: dict[float, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = MlflowClient(server, server)
    assert released_at_once(folders, 0.6, 0.75) == [0, 0]  # the first ones of all: both make the model
    assert aliases(client) in [{"champion": 0.75, "challenger": 0.6}, {"champion": 0.75, "previous": 0.6}]
    answered(0.75)
    assert released_at_once(folders, 0.9, kind="killed") == [-9]  # with a claim
    assert aliases(client)["champion"] == 0.75
    assert released_at_once(folders, 0.6, 0.75, 0.9, kind="again ") == [0, 0, 0]
    assert aliases(client)["champion"] == 0.9
    answered(0.9)
    for version in all_versions(client, "machines"):
        verdict = read_verdict(version)
        assert verdict and version.tags["darkroom.gate.released"] == str(verdict.released).lower()
    by_hand(client, tmp_path, capsys)


def by_hand(client: MlflowClient, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(text.replace("  name: darkroom ", "  name: machines "), encoding="utf-8")
    (folder / "dvc.yaml").touch()
    before = aliases_of(client, "machines")
    worst = before["challenger"]
    with inside(folder):
        assert run("versions") == 0 and "champion" in capsys.readouterr().out
        assert run("promote", worst) == 1 and "--force" in capsys.readouterr().err
        assert run("promote", worst, "--force") == 0
        assert aliases_of(client, "machines") == {"champion": worst, "previous": before["champion"]}
        answered(aliases(client)["champion"])
        assert run("rollback") == 0
        assert aliases_of(client, "machines") == {"champion": before["champion"], "previous": worst}
        assert run("rollback") == 0 and run("promote", before["champion"]) == 0
    answered(0.9)
