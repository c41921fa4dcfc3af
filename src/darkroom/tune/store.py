"""The trials of a search that ended, kept in a study of Optuna: in a journal file or in a database."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.files import digest
from darkroom.core.metrics import METRICS
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.locks import locked
from darkroom.params.declared import DeclaredParams
from darkroom.params.search import Tune
from darkroom.tune.storage import open_storage, reported_errors
from darkroom.tune.trial import Drawn, FreshRun, Trial

if TYPE_CHECKING:
    import optuna
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

SECTIONS = ["image", "augment", "model", "finetune", "train", "tune", "debug"]
# they decide how long the search goes on and what is chosen, not what a trial gives
UNDECIDING = {f"tune.{key}" for key in ("trials", "minutes", "finalists", "fresh_seeds", "tolerance")}


def study_name(content: str, params: DeclaredParams) -> str:
    """Return the name of a search: the digest of what decides its trials. `content` is that of data and code."""
    deciding = {key: value for key, value in params.flat(SECTIONS).items() if key not in UNDECIDING}
    return digest([content, deciding])[:20]


@contextmanager
def open_store(folder: Path, name: str, tune: Tune) -> Iterator["TrialStore"]:
    """Yield the trials of the search `name`; two experiments with the same search wait for each other.

    They are in `folder`/`name`.journal, or in the database whose address DARKROOM_TUNE_STORAGE holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / f"{name}.journal"
    with locked(Path(f"{journal}.used")):
        yield TrialStore(open_storage(journal), name, tune)


class TrialStore:
    """Trials and trainings with fresh seeds that ended, found again by their numbers.

    Each is a trial of Optuna, so that its dashboard shows it; what Optuna has no place for stands in user attributes.
    """

    @reported_errors()
    def __init__(self, storage: "BaseStorage", name: str, tune: Tune) -> None:
        self._storage, self._tune = storage, tune
        self._names = (name, f"{name}-fresh")
        directions = [
            "minimize" if METRICS[tune.metric].lower_is_better else "maximize",
            *["minimize"] * len(tune.costs),
        ]
        self._searched = self._open(self._names[0], directions)
        self._fresh = self._open(self._names[1], directions[:1])

    def _open(self, name: str, directions: list[str]) -> "optuna.Study":
        import optuna

        return optuna.create_study(study_name=name, storage=self._storage, directions=directions, load_if_exists=True)

    @reported_errors()
    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        found = map(_trial, reversed(self._searched.get_trials(deepcopy=False)))
        return _sorted({trial.number: trial for trial in found})

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self._add(self._searched, _frozen(trial, self._tune))

    @reported_errors()
    def fresh_runs(self) -> list[FreshRun]:
        """Return the trainings with fresh seeds by trial and seed."""
        kept = (frozen.user_attrs for frozen in reversed(self._fresh.get_trials(deepcopy=False)))
        found = (FreshRun(**{**values, "scores": _numbers(values["scores"])}) for values in kept)
        return _sorted({(run.number, run.seed): run for run in found})

    def add_fresh(self, run: FreshRun) -> None:
        """Keep a training with a fresh seed that gave a model."""
        import optuna

        score, kept = run.scores[self._tune.metric], {**asdict(run), "scores": _as_json(run.scores)}
        self._add(self._fresh, optuna.trial.create_trial(value=score, user_attrs=kept))

    @reported_errors()
    def _add(self, study: "optuna.Study", frozen: "FrozenTrial") -> None:
        with deferred_interrupts():  # which would leave half a line, or a lock
            study.add_trial(frozen)

    @reported_errors()
    def forget(self) -> None:
        """Delete all of them."""
        import optuna

        for name in self._names:
            optuna.delete_study(study_name=name, storage=self._storage)


def _sorted(found: dict[Any, Any]) -> list[Any]:
    """Return the values by key; of those that were added under one key, the first counts."""
    return [found[key] for key in sorted(found)]


def _as_json(values: dict[str, float]) -> dict[str, float | str]:
    """Return what is not finite as text: JSON has no NaN, at which Optuna's dashboard would stop."""
    return {name: value if math.isfinite(value) else str(value) for name, value in values.items()}


def _numbers(kept: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in kept.items()}


def _frozen(trial: Trial, tune: Tune) -> "FrozenTrial":
    import optuna
    from optuna.trial import TrialState

    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    drawn = trial.drawn
    kept = {key: value for key, value in asdict(trial).items() if key != "drawn"}
    kept |= {"curve": [_as_json(row) for row in trial.curve], "scores": _as_json(trial.scores)}
    return optuna.trial.create_trial(
        state=states.get(trial.state, TrialState.FAIL),
        values=[trial.scores[name] for name in (tune.metric, *tune.costs)] if trial.scores else None,
        params=drawn.values,
        distributions=drawn.distributions,
        system_attrs=drawn.notes,
        intermediate_values={
            int(row["epoch"]): row["validation_log_loss"]
            for row in trial.curve
            if math.isfinite(row["validation_log_loss"])
        },
        user_attrs={"number": drawn.number, "overlay": drawn.overlay, "notes": drawn.notes, **kept},
    )


def _trial(frozen: "FrozenTrial") -> Trial:
    kept = dict(frozen.user_attrs)
    number, overlay, notes = (kept.pop(key) for key in ("number", "overlay", "notes"))
    kept |= {"curve": [_numbers(row) for row in kept["curve"]], "scores": _numbers(kept["scores"])}
    return Trial(Drawn(number, overlay, dict(frozen.params), dict(frozen.distributions), notes), **kept)
