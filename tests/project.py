"""A copy of the repository with a small data set, in which the real commands run."""

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
COLOURS = {"circle": "red", "cross": "green", "square": "blue"}
SMALL_RUN = {
    "ingest.source": "shapes",
    "tune.trials": 1,
    "tune.epochs": 1,
    "tune.fresh_seeds": 1,
    "train.epochs": 6,
    "train.batch_size": 16,
    "model.filters": [8, 16],
    "model.dense": [16],
    "evaluate.heat_maps": 0,
    "evaluate.robustness": {"pictures": 0, "kinds": []},
}


@dataclass
class Project:
    """A repository; `run` gives a command the environment that an activated .venv has.

    Its commands are those of the folder `programs`, where there are some, else of .venv.
    """

    root: Path
    programs: Path | None = None  # of warm_programs
    output: str = ""  # of the first `dvc repro`
    lock: str = ""  # after it

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=self.root, env=self.env(), capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(command)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "DVC_"))}
        folders = [str(self.programs)] if self.programs else []
        path = os.pathsep.join([*folders, str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**kept, "PATH": path, "PYTHONPATH": str(self.root / "src")}

    def set(self, changes: dict[str, Any]) -> None:
        """Change params.yaml, comments kept."""
        from ruamel.yaml import YAML

        editor, file = YAML(), self.root / "params.yaml"
        document = editor.load(file)
        for key, value in changes.items():
            section, name = key.split(".", 1)
            document[section][name] = value
        editor.dump(document, file)

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", "state")

    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.root / 'mlflow.db'}")

    def rows(self) -> dict[str, list[Any]]:
        """Return the pipeline rows by run_id, each with the stage runs below it; below those of tune are its trials."""
        client = self.client()
        experiment = client.get_experiment_by_name("darkroom")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
        parents: dict[str, list[Any]] = {
            run.info.run_id: [] for run in runs if "mlflow.parentRunId" not in run.data.tags
        }
        for run in runs:
            if (parent := run.data.tags.get("mlflow.parentRunId")) in parents:
                parents[parent].append(run)
        return parents


def copy_repository(target: Path, programs: Path | None = None) -> Project:
    """Copy what git knows or would know of the working tree into a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        of_a_user = name == "dvc.lock" or (
            name.startswith(("reports/", "data/feedback/", "data/raw/", "data/weights/"))
            and not name.endswith(".gitkeep")
        )
        if (ROOT / name).is_file() and not of_a_user:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    project = Project(target, programs)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.name", "test")
    project.run("git", "config", "user.email", "test@example.org")
    return project


def draw_background(chance: random.Random) -> Image.Image:
    """Return light noise, so that no two pictures look the same."""
    grain = Image.frombytes("L", (24, 20), chance.randbytes(24 * 20)).convert("RGB")
    return Image.blend(Image.new("RGB", grain.size, "white"), grain, 0.4)


def draw_shapes(folder: Path) -> None:
    """Draw 24 pictures of each class, and what real folders hold too: a corrupt file, duplicates, a conflict."""
    chance = random.Random(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True)
        for number in range(24):
            image = draw_background(chance)
            x, y = chance.randint(2, 8), chance.randint(2, 6)
            draw = ImageDraw.Draw(image)
            if label == "circle":
                draw.ellipse((x, y, x + 11, y + 11), fill=colour)
            elif label == "square":
                draw.rectangle((x, y, x + 11, y + 11), fill=colour)
            else:
                draw.line((x, y, x + 11, y + 11), fill=colour, width=3)
                draw.line((x, y + 11, x + 11, y), fill=colour, width=3)
            image.save(folder / label / f"{label} {number}.png")
    shutil.copy(folder / "circle" / "circle 1.png", folder / "circle" / "copy.png")
    shutil.copy(folder / "circle" / "circle 2.png", folder / "square" / "a circle.png")
    with Image.open(folder / "cross" / "cross 3.png") as image:
        image.save(folder / "cross" / "compressed.jpg", quality=90)
    whole = (folder / "cross" / "cross 0.png").read_bytes()
    (folder / "cross" / "broken.png").write_bytes(whole[: len(whole) // 2])


def make_small_project(target: Path, programs: Path | None = None) -> Project:
    project = copy_repository(target, programs)
    draw_shapes(target / "data" / "raw" / "shapes")
    project.run("darkroom", "recipe", "digits")  # whatever a user has made of params.yaml
    project.set(SMALL_RUN)
    project.run("dvc", "add", "--quiet", "data/raw/shapes")
    project.commit()
    return project


def reproduced(target: Path, programs: Path | None = None) -> Project:
    made = make_small_project(target, programs)
    done = made.run("dvc", "repro")
    made.output = done.stdout + done.stderr
    made.lock = (target / "dvc.lock").read_text()
    made.commit()
    return made
