"""The variants of a comparison as runs in MLflow, which its table and charts compare."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
ROW_TAG = "darkroom.comparison_row"  # the digest of all that is recorded; set last


def record_comparison(compared: Compared) -> None:
    """Record each variant as a run, in an experiment of the comparison's own; a store that fails gives a warning.

    A row that is there with the same content stays as it is; another one of the same variant is replaced. The test
    split counts as looked at once, whatever the number of variants.
    """

    def record(client: "MlflowClient") -> None:
        experiment = compared.comparison.variants[0].params.tracking.experiment
        found = experiment_id(client, f"{experiment}: {compared.comparison.name}")
        known = list(all_pages(partial(client.search_runs, [found])))
        logs = [
            _record_variant(client, found, compared, number, known)
            for number in range(len(compared.comparison.variants))
        ]
        if compared.on_test:
            splits = compared.trainings[0].splits
            opened = splits.loc[splits["split"] == "test", ["image_id", "label"]]
            table = digest(sorted(training.key for training in compared.trainings))
            record_look(logs[0], table_digest(opened), table)

    consult(record, "recording the comparison", None)


def _record_variant(
    client: "MlflowClient", experiment: str, compared: Compared, number: int, known: "list[Run]"
) -> RunLogger:
    """Record the variant with this number, unless it is among the `known` runs; return its run."""
    variant, row = compared.comparison.variants[number], compared.rows[number]
    first = next(training for training in compared.trainings if training.variant == variant.name)
    metrics = _metrics(compared, number)
    lasting = {name: value for name, value in metrics.items() if name != "seconds"}
    content = digest([variant.name, first.key, lasting, row.verdict, row.reason, asdict(row)["scores"]])
    same = [run for run in known if run.data.tags.get(ROW_TAG) == content]
    for run in known:
        of_variant = run.data.tags.get(VARIANT_TAG) == first.key and run.info.run_name == _name(compared, variant)
        if of_variant and run not in same[:1]:
            client.delete_run(run.info.run_id)
    if same:
        return RunLogger(client, same[0].info.run_id)
    tags = {VARIANT_TAG: first.key, "darkroom.verdict": row.verdict, "darkroom.reason": row.reason}
    run_id = client.create_run(experiment, run_name=_name(compared, variant), tags=tags).info.run_id
    log = RunLogger(client, run_id)
    log.log_params({"variant": variant.name, "seeds": row.seeds, **_params(compared, variant)})
    log.log_metrics(metrics)
    log.log_history(pd.DataFrame({row.metric: row.scores}), "seed/")
    client.set_terminated(run_id, "FAILED" if not row.scores else "FINISHED")
    log.set_tag(ROW_TAG, content)
    return log


def _name(compared: Compared, variant: Variant) -> str:
    return f"{compared.comparison.name}: {variant.name}"


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
    pairs = zip(compared.trainings, compared.outcomes, strict=True)
    ended = [outcome.scores for training, outcome in pairs if training.variant == row.variant and not outcome.reason]
    for split in ("validation", "test") if compared.on_test else ("validation",):
        for name in ended[0][split] if ended else ():
            found[f"{split}/{name}"] = float(np.mean([scores[split][name] for scores in ended]))
    return {name: value for name, value in found.items() if np.isfinite(value)}
