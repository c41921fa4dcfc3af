"""The search for hyper-parameters: seeded, resumable after a kill, the same result either way."""

import logging
import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from darkroom.core.errors import UserError, first_line
from darkroom.core.metrics import METRICS
from darkroom.examples.metrics import Diverged
from darkroom.execution.locks import locked
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.tune.space import recorded_overlay, suggest, trial_params

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

logger = logging.getLogger(__name__)
Objective = Callable[[DeclaredParams], float]
OnTrial = Callable[[int, float], None]
RANDOM_TRIALS = 3  # before the sampler begins to learn from them
ATTEMPTS = 2  # a first kill may have been anybody's; a second one in the same trial is its memory
FAILURE = "failure"  # attribute of a trial: why its combination gave no model
STOPPED = "stopped"  # attribute of a trial: it ended with its process, which was not killed outright


def search(
    params: DeclaredParams, objective: Objective, journal: Path, on_trial: OnTrial
) -> tuple[Overlay, pd.DataFrame]:
    """Try `tune.trials` combinations of the space; return the best as an overlay, and a row for each trial.

    Trials are kept in `journal`, so a search that was stopped resumes after the last one. Each trial draws with a
    sampler seeded by the number of those before it: stopped or not, the same combinations come. A trial that ends in
    an error of TensorFlow has failed, and so has one in which the process was killed twice. Raises UserError when no
    combination gives a model; then nothing is kept, as memory may have been short.
    TPE: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011, as Optuna implements it.
    """
    tune = params.tune
    journal.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{journal}.used")):  # two experiments with the same search would mix their trials
        trials = _run_missing_trials(params, objective, journal, on_trial)
        models = [trial for trial in trials if not _failure(trial)]
        if not models:
            journal.unlink()
            raise UserError(
                f"none of the {len(trials)} trials gave a model (the first: {_failure(trials[0])}); "
                "change tune.space in params.yaml, or free memory and start again",
                1,
            )
    best = sorted(models, key=_score, reverse=not METRICS[tune.metric].lower_is_better)[0]
    return recorded_overlay(best.params, tune), _trial_table(trials, tune)


def _run_missing_trials(
    params: DeclaredParams, objective: Objective, journal: Path, on_trial: OnTrial
) -> "list[FrozenTrial]":
    """Run the trials that the journal lacks; return all, failed ones too."""
    tune, study = params.tune, _open_study(journal, params.tune)
    if 0 < (done := len(_ended(study))) < tune.trials:
        logger.info("resumes after trial %d", done)
    while (done := len(_ended(study))) < tune.trials:
        if not _end_killed_trial(study):
            _run_trial(study, _seed_of(tune.seed, done), params, objective)
        trial = _ended(study)[-1]
        if failure := _failure(trial):
            logger.warning("trial %d of %d failed: %s", done + 1, tune.trials, failure)
        else:
            on_trial(done + 1, _score(trial))
    return _ended(study)[: tune.trials]


def _run_trial(study: "optuna.Study", seed: int, params: DeclaredParams, objective: Objective) -> None:
    """Draw a combination and try it; the journal keeps how it ended."""
    import optuna
    from optuna.trial import TrialState

    study.sampler = optuna.samplers.TPESampler(
        seed=seed,
        n_startup_trials=RANDOM_TRIALS,
        constant_liar=False,  # else a trial that was killed, and stays "running", moves the next ones
    )
    trial = study.ask()
    try:
        score, failure = _attempt(params, suggest(trial, params.tune, params.flat()), objective)
    except BaseException:
        trial.set_user_attr(STOPPED, True)
        raise
    if failure:
        trial.set_user_attr(FAILURE, failure)
    study.tell(trial, score, TrialState.FAIL if score is None else TrialState.COMPLETE)


def _attempt(params: DeclaredParams, overlay: Overlay, objective: Objective) -> tuple[float | None, str]:
    """Return the score of a combination, and why it gave no model, if it did not.

    What the combination itself rules out has the worst score, from which the sampler learns; an error of TensorFlow,
    which may be the machine's, has none.
    """
    worst = METRICS[params.tune.metric].worst
    try:
        candidate = trial_params(params, overlay)
    except UserError as error:
        return worst, str(error)
    try:
        score = objective(candidate)
    except Diverged as error:
        return worst, str(error)
    except Exception as error:
        if not _is_of_tensorflow(error):
            raise
        return None, f"{type(error).__name__}: {first_line(error)}"
    return (worst, "the score is not a number") if math.isnan(score) else (score, "")


def _is_of_tensorflow(error: Exception) -> bool:
    """Return whether a training ended with an error of its operations, such as want of memory."""
    import tensorflow as tf

    return isinstance(error, tf.errors.OpError | MemoryError)


def _end_killed_trial(study: "optuna.Study") -> bool:
    """Mark the trial in which processes were killed, again and again, as failed; return whether there was one.

    What still runs in the journal ran in an earlier process: this one holds the lock.
    """
    from optuna.trial import TrialState

    before = max((trial.number for trial in _ended(study)), default=-1)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    killed = [trial.number for trial in running if trial.number > before and STOPPED not in trial.user_attrs]
    if len(killed) < ATTEMPTS:
        return False
    study.tell(killed[-1], state=TrialState.FAIL)
    return True


def _ended(study: "optuna.Study") -> "list[FrozenTrial]":
    """Return the trials that need not be tried again, in order."""
    from optuna.trial import TrialState

    ended: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
    return ended


def _failure(trial: "FrozenTrial") -> str:
    """Return why an ended trial gave no model; an empty text when it gave one."""
    killed = "" if trial.state.name == "COMPLETE" else "killed twice; it probably ran out of memory"
    return str(trial.user_attrs.get(FAILURE, killed))


def _score(trial: "FrozenTrial") -> float:
    return math.nan if trial.value is None else float(trial.value)


def _open_study(journal: Path, tune: Tune) -> "optuna.Study":
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _cut_torn_line(journal)
    return optuna.create_study(
        study_name="tune",
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(journal))),
        direction="minimize" if METRICS[tune.metric].lower_is_better else "maximize",
        load_if_exists=True,
    )


def _cut_torn_line(journal: Path) -> None:
    """Take away a last line that a crash or a full disk left unfinished; Optuna could not read beyond it."""
    content = journal.read_bytes() if journal.exists() else b""
    if not content.endswith(b"\n"):
        journal.write_bytes(content[: content.rfind(b"\n") + 1])


def _seed_of(seed: int, done: int) -> int:
    return int(sha256(f"{seed}:{done}".encode()).hexdigest()[:8], 16)


def _trial_table(trials: "list[FrozenTrial]", tune: Tune) -> pd.DataFrame:
    """Return a row for each trial: its number from 1, the score, why it failed, a column for each key of the space."""
    rows = []
    for number, trial in enumerate(trials, start=1):
        overlay = recorded_overlay(trial.params, tune)
        keys = {f"{section}.{key}": value for section, values in overlay.items() for key, value in values.items()}
        rows.append({"trial": number, tune.metric: _score(trial), FAILURE: _failure(trial) or None, **keys})
    return pd.DataFrame(rows)
