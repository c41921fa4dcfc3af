"""The variants of a comparison as runs in MLflow, which its table and charts compare."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.files import digest
from darkroom.core.fingerprint import table_digest
from darkroom.experiments.comparison_file import Variant
from darkroom.experiments.comparison_table import NUMBERS, Compared, VariantRow
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.looks import record_look
from darkroom.tracking.store import all_pages, consult, experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

VARIANT_TAG = "darkroom.variant"  # the digest of code, data and parameters, whatever the number of seeds
SEEDS_TAG = "darkroom.seeds"  # how many were asked for
SPLITS_TAG = "darkroom.splits"  # what was measured
ROW_TAG = "darkroom.comparison_row"  # the digest of all that is recorded; set last


def record_comparison(compared: Compared) -> None:
    """Record each variant as a run, in an experiment of the comparison's own; a store that fails gives a warning.

    A row that is there with the same content stays as it is; one of the same variant without a seed or a split that
    the new one lacks is replaced. The test split counts as looked at once for each table, whatever the number of
    variants; raises UserError when that cannot be counted.
    """

    def record(client: "MlflowClient") -> bool:
        experiment = compared.comparison.variants[0].params.tracking.experiment
        found = experiment_id(client, f"{experiment}: {compared.comparison.name}")
        known = list(all_pages(partial(client.search_runs, [found])))
        numbers = range(len(compared.comparison.variants))
        logs = [_record_variant(client, found, compared, number, known) for number in numbers]
        if compared.on_test:
            splits = compared.trainings[0].splits
            opened = splits.loc[splits["split"] == "test", ["image_id", "label"]]
            record_look(logs[0], table_digest(opened), _table(compared))
        return True

    if not consult(record, "recording the comparison", False) and compared.on_test:
        raise UserError(
            "this look at the test split could not be counted, so its scores are not shown; check the store with "
            "`darkroom doctor` and start again: nothing is trained twice",
            1,
        )


def _table(compared: Compared) -> str:
    """Return the digest of all trainings of the table."""
    return digest(sorted(training.key for training in compared.trainings))


def _record_variant(
    client: "MlflowClient", experiment: str, compared: Compared, number: int, known: "list[Run]"
) -> RunLogger:
    """Record the variant with this number, unless it is among the `known` runs; return its run."""
    name, metrics = f"{compared.comparison.name}: {compared.rows[number].variant}", _metrics(compared, number)
    tags = _tags(compared, number, metrics)
    same = [run for run in known if run.data.tags.get(ROW_TAG) == tags[ROW_TAG]][:1]
    for run in known:
        if run.info.run_name == name and run not in same and _is_replaced(run, tags):
            client.delete_run(run.info.run_id)
    if same:
        return RunLogger(client, same[0].info.run_id)
    variant, row, content = compared.comparison.variants[number], compared.rows[number], tags.pop(ROW_TAG)
    log = RunLogger(client, client.create_run(experiment, run_name=name, tags=tags).info.run_id)
    log.log_params({"variant": variant.name, "seeds": row.seeds, **_params(compared, variant)})
    log.log_metrics(metrics)
    log.log_history(pd.DataFrame({row.metric: row.scores}), "seed/")
    client.set_terminated(log.run_id, "FAILED" if not row.scores else "FINISHED")
    log.set_tag(ROW_TAG, content)
    return log


def _tags(compared: Compared, number: int, metrics: Mapping[str, float]) -> dict[str, str]:
    """Return the tags of a row. The base's content names the table where test was opened: each look has its own run."""
    row = compared.rows[number]
    key = next(training for training in compared.trainings if training.variant == row.variant).key
    lasting = {name: value for name, value in metrics.items() if name != "seconds"}
    look = _table(compared) if compared.on_test and number == 0 else ""
    return {
        VARIANT_TAG: key,
        SEEDS_TAG: str(compared.comparison.seeds),
        SPLITS_TAG: "validation test" if compared.on_test else "validation",
        ROW_TAG: digest([row.variant, key, lasting, row.verdict, row.reason, row.scores, look]),
        "darkroom.verdict": row.verdict,
        "darkroom.reason": row.reason,
    }


def _is_replaced(run: "Run", tags: Mapping[str, str]) -> bool:
    """Tell whether a run is of the variant of a row with these `tags` and has no seed or split that the row lacks."""
    own = run.data.tags
    fewer = int(own.get(SEEDS_TAG, 0)) <= int(tags[SEEDS_TAG])
    return own.get(VARIANT_TAG) == tags[VARIANT_TAG] and fewer and own.get(SPLITS_TAG, "") in tags[SPLITS_TAG]


def _params(compared: Compared, variant: Variant) -> dict[str, object]:
    """Return the parameters that differ between the variants, with the values of this one."""
    keys = sorted({key for other in compared.comparison.variants for key in other.differences})
    values = variant.values()
    return {key: values[key] for key in keys}


def _metrics(compared: Compared, number: int) -> dict[str, float]:
    """Return the numbers of a row, those of test too if it was opened, and the mean of every other score."""
    row: VariantRow = compared.rows[number]
    found = {name: float(getattr(row, name)) for name in NUMBERS}
    if compared.on_test:
        found |= {f"test_{name}": value for name, value in asdict(compared.on_test[number]).items() if name in NUMBERS}
    pairs = zip(compared.trainings, compared.results, strict=True)
    ended = [result.scores for training, result in pairs if training.variant == row.variant and not result.reason]
    for split in ("validation", "test") if compared.on_test else ("validation",):
        for name in ended[0][split] if ended else ():
            found[f"{split}/{name}"] = float(np.mean([scores[split][name] for scores in ended]))
    return {name: value for name, value in found.items() if np.isfinite(value)}
