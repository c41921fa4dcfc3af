"""Several networks for one model: other architectures, other seeds, other parts of the data."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from darkroom.balance.balance import balance_training
from darkroom.examples.metrics import predict, score
from darkroom.examples.pixels import Examples, load_examples
from darkroom.examples.sampling import sample_train
from darkroom.execution.workers import worker_pool
from darkroom.models.combine import combine
from darkroom.params.data import Balance
from darkroom.params.declared import DeclaredParams
from darkroom.train.checkpoint import Checkpoint
from darkroom.train.debug import debug_data, overfit_verdict
from darkroom.train.epochs import LogMetrics
from darkroom.train.fit import Fit, check_network, fit

if TYPE_CHECKING:
    import keras

Data = dict[str, Examples]
Fold = int | None  # None: the split as it is


@dataclass(frozen=True)
class Member:
    """One network of an ensemble: its parameters, and the fold that validates it."""

    params: DeclaredParams
    fold: Fold


def load_folds(images: Path, splits: pd.DataFrame, params: DeclaredParams) -> dict[Fold, Data]:
    """Return train and validation for each network's fold; {None: as the split has them} without `ensemble.folds`."""
    folds = sorted(splits["fold"].dropna().astype(int).unique().tolist()) if params.ensemble.folds else [None]
    data: dict[Fold, Data] = {}
    with worker_pool() as pool:
        for fold in folds:
            part = in_fold(splits, fold, params.balance)
            data[fold] = debug_data(load_examples(images, part, params.image, ("train", "validation"), pool), params)
    return data


def in_fold(splits: pd.DataFrame, fold: Fold, balance: Balance) -> pd.DataFrame:
    """Return the splits with `fold` as validation and the other folds as train, balanced anew; None: as they are."""
    if fold is None:
        return splits
    own, outside = (splits["fold"] == fold).fillna(False).astype(bool), splits["fold"].isna()
    names = np.where(own, "validation", np.where(outside, splits["split"], "train"))
    moved = splits.assign(split=names, weight=1.0, copies=np.int32(1), reason=None)
    rows = moved[moved["split"] == "train"]
    moved.loc[rows.index, ["weight", "copies", "reason"]] = balance_training(rows, balance)
    return moved


def members(params: DeclaredParams, folds: Iterable[Fold]) -> list[Member]:
    """Return architectures times seeds times folds; one without an ensemble."""
    architectures = params.ensemble.architectures or [params.model.architecture]
    seeds = [params.train.seed + number for number in range(params.ensemble.seeds)]
    return [
        Member(params.overlaid({"model": {"architecture": name}, "train": {"seed": seed}}, "params.yaml"), fold)
        for name in architectures
        for seed in seeds
        for fold in folds
    ]


def fit_members(
    chosen: list[Member], data: dict[Fold, Data], weights: Path, checkpoints: Path, log: LogMetrics, verbose: int
) -> list[Fit]:
    """Train all members, each with its checkpoint below `checkpoints`; a finished one is not trained again.

    `weights` is the folder with given ones; that they fit is seen before the first is trained.
    """
    architectures = {one.params.model.architecture: one.params for one in chosen}
    for params in architectures.values() if len(architectures) > 1 else []:
        check_network(params, len(next(iter(data.values()))["train"].classes), weights)
    fits = []
    for number, member in enumerate(chosen, start=1):
        if len(chosen) > 1:
            print(f"train: network {number} of {len(chosen)}: {_say(member)}", flush=True)
        if unused := _unused(member.params):
            print(f"train: {unused}", flush=True)
        prefix = f"network{number}/" if len(chosen) > 1 else ""

        def log_member(metrics: dict[str, float], epoch: int, prefix: str = prefix) -> None:
            log({f"{prefix}{name}": value for name, value in metrics.items()}, epoch)

        checkpoint = Checkpoint(checkpoints / f"network{number}")
        fits.append(fit(data[member.fold], member.params, weights, checkpoint, log_member, verbose))
        if member.params.debug.mode == "overfit":
            print(f"train: {overfit_verdict(fits[-1].history)}", flush=True)
    return fits


def _unused(params: DeclaredParams) -> str:
    """Return what is said of keys that the network passes over."""
    model, epochs = params.model, params.finetune.epochs
    unused = []
    if not model.is_backbone and model.weights != "none":
        unused.append(f"model.weights = {model.weights} is not used: {model.architecture} starts from drawn weights")
    if epochs and not model.is_pretrained:
        unused.append(f"finetune.epochs = {epochs} is not used: no weights are given")
    if model.block_dropout and model.architecture != "conv":
        unused.append(f"model.block_dropout = {model.block_dropout:g} is not used: {model.architecture} has none")
    if model.dropout and not model.dense:
        unused.append(
            f"model.dropout = {model.dropout:g} is not used: it stands behind dense layers, and there are none"
        )
    if 0 < params.augment.shift * params.image.size <= 0.5:
        unused.append(f"augment.shift = {params.augment.shift:g} is not used: it is less than half a pixel")
    return "; ".join(unused)


def _say(member: Member) -> str:
    fold = "" if member.fold is None else f", validated by fold {member.fold}"
    return f"{member.params.model.architecture}, seed {member.params.train.seed}{fold}"


def histories(fits: list[Fit]) -> pd.DataFrame:
    """Return the rows of all histories, each with the number of its network, from 1."""
    tables = [one.history.assign(network=number) for number, one in enumerate(fits, start=1)]
    return pd.concat(tables, ignore_index=True)


def score_members(
    chosen: list[Member], networks: "list[keras.Model]", data: dict[Fold, Data], average: str, batch_size: int
) -> dict[str, Any]:
    """Return {split: scores} on validation and some pictures of train.

    With folds, each picture is answered by the networks of the fold: on validation those that did not learn it.
    """
    return {name: _score_split(name, chosen, networks, data, average, batch_size) for name in ("train", "validation")}


def _score_split(
    name: str,
    chosen: list[Member],
    networks: "list[keras.Model]",
    data: dict[Fold, Data],
    average: str,
    batch_size: int,
) -> dict[str, Any]:
    labels, answers = [], []
    for fold, part in data.items():
        own = [network for member, network in zip(chosen, networks, strict=True) if member.fold == fold]
        examples = sample_train(part[name], len(data)) if name == "train" else part[name]
        answers.append(predict(combine(own, average), examples, batch_size))
        labels.append(examples.labels)
    found = np.concatenate(labels)
    return {**score(found, np.concatenate(answers)), "pictures": len(found)}
