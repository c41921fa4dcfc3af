"""The trainings of a comparison: each variant with each seed, and the pictures that it learns from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.files import digest, read_value
from darkroom.core.fingerprint import table_digest
from darkroom.core.paths import ARTEFACTS
from darkroom.dedupe.filters import passes_filter
from darkroom.examples.pixels import Examples, load_examples
from darkroom.execution.workers import worker_pool
from darkroom.experiments.comparison_file import BASE, FOLDER, Comparison, Variant
from darkroom.images.packed import list_shards
from darkroom.models.backbones import weights_file_digest
from darkroom.params.data import Filter
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import read_yaml
from darkroom.stage import Stage
from darkroom.train.debug import debug_data, debug_params
from darkroom.train.jobs import Job

FACTS = ["image_id", "width", "height", "format", "mode"]  # what a filter asks for


@dataclass(frozen=True)
class Training:
    """One variant with one seed; `splits` is the table of its pictures, `key` the digest of all that decides it."""

    variant: str
    seed: int
    params: DeclaredParams
    splits: pd.DataFrame
    key: str


def plan_trainings(root: Path, comparison: Comparison) -> list[Training]:
    """Return all trainings, a seed of every variant before the next seed; raises UserError for what is missing."""
    splits = _read_splits(root)
    pipeline = read_yaml(root / "dvc.yaml")["stages"]
    code, planned = "", list[list[Training]]()
    for variant in comparison.variants:
        stage = Stage("train", root, pipeline, variant.params)
        code = code or stage.code_digest()
        params, rows = debug_params(stage.params), _filtered(root, splits, variant, _place(comparison, variant))
        content = [code, table_digest(rows), weights_file_digest(params.model, root / ARTEFACTS["weights"])]
        seeds = range(params.train.seed, params.train.seed + comparison.seeds)
        planned.append([_training(variant.name, params, seed, rows, content) for seed in seeds])
    return [training for same_seed in zip(*planned, strict=True) for training in same_seed]


def _place(comparison: Comparison, variant: Variant) -> str:
    """Return where the filter of a variant stands: the base has one from `set` only."""
    place = "set" if variant.name == BASE else f"variants.{variant.name}"
    return f"{FOLDER}/{comparison.name}.yaml: {place}"


def _training(name: str, params: DeclaredParams, seed: int, rows: pd.DataFrame, content: Sequence[str]) -> Training:
    seeded = params.overlaid({"train": {"seed": seed}}, "params.yaml")
    values = {key: value for key, value in seeded.flat().items() if not key.startswith("tracking.")}
    return Training(name, seed, seeded, rows, digest([*content, values]))


def _read_splits(root: Path) -> pd.DataFrame:
    splits, images = root / ARTEFACTS["splits"], root / ARTEFACTS["images"]
    if not splits.is_file() or not images.is_dir() or not list_shards(images):
        raise UserError(
            f"{ARTEFACTS['splits']} or {ARTEFACTS['images']} is missing: variants are trained on the pictures of the "
            "workspace; make them with `make repro`, or fetch them with `dvc pull`"
        )
    table: pd.DataFrame = read_value(splits)
    return table


def _filtered(root: Path, splits: pd.DataFrame, variant: Variant, where: str) -> pd.DataFrame:
    """Return the table without the training pictures that the variant's filter leaves out.

    Validation and test stay the same for all, so that differences are paired. Raises UserError, which begins `where`,
    when a class is left without a picture to learn from.
    """
    if variant.filter is None:
        return splits
    manifest = root / ARTEFACTS["manifest"]
    if not manifest.is_file():
        raise UserError(f"{where}: dedupe.filter: needs {ARTEFACTS['manifest']}, which is missing; `dvc pull` it")
    passing = passing_ids(read_value(manifest, FACTS), variant.filter, where)
    kept = splits[(splits["split"] != "train") | splits["image_id"].isin(passing)].reset_index(drop=True)
    lost = set(splits["label"]) - set(kept.loc[(kept["split"] == "train") & (kept["copies"] > 0), "label"])
    if lost:
        raise UserError(f"{where}: dedupe.filter: leaves no training picture of {sorted(lost)[0]!r}; let more pass")
    return kept


def passing_ids(manifest: pd.DataFrame, wanted: Filter, where: str) -> pd.Series:
    """Return the image_id of the pictures that pass a filter, as `dedupe` applies it; a UserError begins `where`."""
    pictures = manifest[manifest["width"].notna()]
    try:
        return pictures["image_id"][passes_filter(pictures, wanted)]
    except UserError as error:
        raise UserError(f"{where}: {str(error).removeprefix('params.yaml: ')}") from None


def load_jobs(root: Path, trainings: Iterable[Training], names: tuple[str, ...]) -> list[Job]:
    """Return each training as a job with the pictures of the splits `names` and of no other.

    Those of equal image settings and filter share them.
    """
    loaded: dict[str, dict[str, Examples]] = {}
    jobs = []
    with worker_pool() as pool:
        for training in trainings:
            params = training.params
            key = digest([params.flat(["image"]), table_digest(training.splits)])
            if key not in loaded:
                examples = load_examples(root / ARTEFACTS["images"], training.splits, params.image, names, pool)
                loaded[key] = examples
            jobs.append(Job(params, debug_data(loaded[key], params), root / ARTEFACTS["weights"]))
    return jobs
