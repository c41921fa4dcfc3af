"""A small workspace for a stage to run in."""

from pathlib import Path
from typing import Any

from darkroom.stage import Stage, run_stage
from darkroom.tracking.store import connect
from pictures import ROOT

PIPELINE = """
stages:
  split:
    deps: [data/curated.parquet, src]
    params: [split]
    outs: [models/tune/best.yaml, reports/MODEL_CARD.md]
"""


def fill_workspace(root: Path) -> None:
    """Write it; its runs are recorded in an experiment of its own."""
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("experiment: darkroom", f"experiment: {root.name}")
    (root / "params.yaml").write_text(params, encoding="utf-8")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "src").mkdir()
    (root / "src" / "code.py").write_text("1")


def run(work: Any) -> None:
    """Run `work` as the stage `split`."""
    work.__name__ = "split"
    run_stage(work)


def newest_run() -> Any:
    client = connect()
    experiments = [one.experiment_id for one in client.search_experiments()]
    return client.search_runs(experiments, order_by=["attributes.start_time DESC"])[0]


def outputs(root: Path) -> dict[str, str]:
    files = [path for name in ("models", "reports") for path in (root / name).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def save_both(stage: Stage, word: str) -> None:
    stage.save("best", {"word": word})
    stage.save("model_card", word)
