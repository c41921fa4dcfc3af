"""Several networks for one model: other architectures, other seeds, other parts of the data."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from darkroom.balance.balance import balance_training
from darkroom.examples.pixels import Examples, load_examples
from darkroom.examples.predictions import Predictions, joined, predict_split
from darkroom.examples.sampling import sample_train
from darkroom.execution.cluster import on_cluster
from darkroom.execution.workers import worker_pool
from darkroom.models.backbones import is_pretrained
from darkroom.models.combine import combine
from darkroom.params.data import Balance
from darkroom.params.declared import DeclaredParams
from darkroom.train.debug import debug_data, overfit_verdict
from darkroom.train.epochs import LogMetrics
from darkroom.train.fit import Fit, check_network
from darkroom.train.frozen import keeps_features
from darkroom.train.jobs import Job, Logged, run_job, train_in_tasks

logger = logging.getLogger(__name__)
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


def train_on_cluster(
    ensemble: list[Member], data: dict[Fold, Data], weights: Path, checkpoints: Path
) -> dict[int, Logged]:
    """Train each of several members in a task, where RAY_ADDRESS names a cluster; `fit_members` finds them finished.

    Return by number, from 1, what each logged; nothing on one machine, nor for one member alone, which is trained in
    this process. Call it before TensorFlow is started: it would take the GPUs of this machine, which may be a node.
    """
    alone = not on_cluster() or len(ensemble) == 1
    return {} if alone else train_in_tasks(_jobs(ensemble, data, weights, checkpoints))


def fit_members(
    ensemble: list[Member],
    data: dict[Fold, Data],
    weights: Path,
    checkpoints: Path,
    log: LogMetrics,
    verbose: int,
    trained: Mapping[int, Logged] = MappingProxyType({}),
) -> list[Fit]:
    """Train all members, each with its checkpoint below `checkpoints`; a finished one is not trained again.

    `weights` is the folder with given ones. `trained` is what `train_on_cluster` returned, and is logged. Raises
    UserError before the first training when the weights do not fit.
    """
    architectures = {member.params.model.architecture: member.params for member in ensemble}
    for params in architectures.values() if len(architectures) > 1 else []:
        check_network(params, len(next(iter(data.values()))["train"].classes), weights)
    fits = []
    for number, job in enumerate(_jobs(ensemble, data, weights, checkpoints), start=1):
        log_member = _begin_member(ensemble, number, log)
        for metrics, epoch in trained.get(number, []):
            log_member(metrics, epoch)
        fits.append(_fit_member(job, None if number in trained else log_member, verbose))
    return fits


def _begin_member(ensemble: list[Member], number: int, log: LogMetrics) -> LogMetrics:
    """Say which network comes, where there are several; return what logs its metrics."""
    if len(ensemble) == 1:
        return log
    logger.info("network %d of %d: %s", number, len(ensemble), _description(ensemble[number - 1]))
    return partial(_log_prefixed, log, f"network{number}/")


def _jobs(ensemble: list[Member], data: dict[Fold, Data], weights: Path, checkpoints: Path) -> list[Job]:
    return [
        Job(member.params, data[member.fold], weights, checkpoints / f"network{number}")
        for number, member in enumerate(ensemble, start=1)
    ]


def _fit_member(job: Job, log: LogMetrics | None, verbose: int) -> Fit:
    if unused := _unused(job.params):
        logger.info("%s", unused)
    fitted = run_job(job, log, verbose)
    if job.params.debug.mode == "overfit":
        logger.info("%s", overfit_verdict(fitted.history))
    return fitted


def _log_prefixed(log: LogMetrics, prefix: str, metrics: dict[str, float], epoch: int) -> None:
    log({f"{prefix}{name}": value for name, value in metrics.items()}, epoch)


def _unused(params: DeclaredParams) -> str:
    """Return a sentence on each key that has no effect on the network."""
    model, epochs = params.model, params.finetune.epochs
    unused = []
    if not model.is_backbone and model.weights != "none":
        unused.append(f"model.weights = {model.weights} is not used: {model.architecture} starts from random weights")
    if epochs and not is_pretrained(model):
        unused.append(f"finetune.epochs = {epochs} is not used: no weights are given")
    if params.finetune.passes and is_pretrained(model) and not keeps_features(params):
        unused.append("finetune.passes is not used: mixup, cutmix and small_epochs need the pictures of each epoch")
    if model.block_dropout and model.architecture != "conv":
        unused.append(f"model.block_dropout = {model.block_dropout:g} is not used: {model.architecture} has none")
    if model.dropout and not model.dense:
        unused.append(f"model.dropout = {model.dropout:g} is not used: it follows dense layers, and there are none")
    if 0 < params.augment.shift * params.image.size <= 0.5:
        unused.append(f"augment.shift = {params.augment.shift:g} is not used: it is less than half a pixel")
    return "; ".join(unused)


def _description(member: Member) -> str:
    fold = "" if member.fold is None else f", validated by fold {member.fold}"
    return f"{member.params.model.architecture}, seed {member.params.train.seed}{fold}"


def histories(fits: list[Fit]) -> pd.DataFrame:
    """Return one row per epoch of all networks, with the number of the network, from 1."""
    tables = [fitted.history.assign(network=number) for number, fitted in enumerate(fits, start=1)]
    return pd.concat(tables, ignore_index=True)


def measure_members(
    ensemble: list[Member], fits: list[Fit], data: dict[Fold, Data], params: DeclaredParams
) -> dict[str, Predictions]:
    """Return the answers on validation and some pictures of train, {split: predictions}.

    With folds, each picture is answered by the networks of the fold: on validation those that did not learn it.
    """
    return {name: joined(list(_measure_folds(name, ensemble, fits, data, params))) for name in ("train", "validation")}


def _measure_folds(
    split: str, ensemble: list[Member], fits: list[Fit], data: dict[Fold, Data], params: DeclaredParams
) -> Iterator[Predictions]:
    for fold, part in data.items():
        own = [fitted.network for member, fitted in zip(ensemble, fits, strict=True) if member.fold == fold]
        examples = sample_train(part[split], len(data)) if split == "train" else part[split]
        yield predict_split(combine(own, params.model.average), split, examples, params.train.batch_size)
