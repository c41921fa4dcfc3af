"""Whether a trial that falls behind is stopped: Optuna's pruners on log losses of the validation split."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from darkroom.params.search import Tune
from darkroom.train.checkpoint import Row
from darkroom.tune.trial import Drawn, Trial

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.trial import FrozenTrial

# Of three trials the best goes on (Li et al., Hyperband, JMLR 2018, section 2.6: theory favours e, 3 or 4 do equally
# well), first after a ninth of the epochs, then after a third: a search costs less than half, and the first comparison
# waits longer where epochs are many (Jamieson and Talwalkar, AISTATS 2016; Li et al., ASHA, MLSys 2020, who let each
# trial be compared with those that came before, without waiting, as Optuna does).
KEPT_OF = 3
SHARE = KEPT_OF**2
RUNG = "completed_rung_"  # Optuna's name of what halving notes of a trial
MEDIAN_AFTER = 5  # complete trials, as in Golovin et al., Google Vizier, KDD 2017


class Pruning:
    """The pruner of one trial: it compares with the trials that it is given, and with nothing else.

    `trials` are those, in any order. Hyperband's bracket follows from the number of the trial alone.
    """

    def __init__(self, tune: Tune, trials: Sequence[Trial], number: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._tune = tune
        # Hyperband reads the name, without which a study would have one of chance
        self._study = optuna.create_study(study_name="tune", direction="minimize", pruner=pruner(tune))
        before = {trial.number: trial for trial in trials}
        for place in range(number):
            self._study.add_trial(_ended(before.get(place)))
        self._trial = self._study.ask()
        for place in sorted(place for place in before if place > number):
            self._study.add_trial(_ended(before[place]))

    def replay(self, curve: Sequence[Row]) -> bool:
        """Go through the rows of a trial's curve, from the first epoch; tell whether it ends with the last of them."""
        stops = False
        for epoch, row in enumerate(curve, start=1):
            loss = row["validation_log_loss"]
            stops = not math.isnan(loss) and self.stops(epoch, loss)  # a loss that is none ends a training by itself
        return stops

    def stops(self, epoch: int, log_loss: float) -> bool:
        """Tell whether the trial ends with this epoch, from 1; one that has had its epochs, or has no pruner, does not.

        `log_loss` is that of the validation split; NaN stops.
        """
        self._trial.report(log_loss, epoch)
        behind = self._trial.should_prune()  # asked in the last epoch too, as it notes the rung
        behind = behind and self._trial.number > 0  # params.yaml's own values are compared to the end
        return self._tune.pruner != "none" and epoch < self._tune.epochs and (behind or math.isnan(log_loss))

    @property
    def rungs(self) -> dict[str, Any]:
        """What later trials are compared with: the log loss at each rung that this one has reached."""
        noted = self._study.get_trials(deepcopy=False)[self._trial.number].system_attrs
        return {name: value for name, value in noted.items() if name.startswith(RUNG)}


def rungs_of_batch(tune: Tune) -> list[int]:
    """Return the epochs after which the trials of a batch are compared with each other, in lock step.

    There are none for a batch of one trial, nor for pruners that compare after every epoch, or never.
    """
    if tune.batch < 2 or tune.pruner not in ("halving", "hyperband"):
        return []
    first = -(-tune.epochs // SHARE)
    return [epoch for epoch in (first, KEPT_OF * first) if epoch < tune.epochs]


def behind(
    tune: Tune, earlier: Sequence[Trial], curves: Mapping[int, Sequence[Row]], waiting: Sequence[int], rung: int
) -> list[int]:
    """Return which of the trials that wait after the epoch `rung` end there.

    They are compared with `earlier` ones and with all of their batch that came so far, however those went on: `curves`
    has the curve of each by its number. So the answer is the same whatever ended first, before and after a kill.
    """
    reached = {number: list(curve[:rung]) for number, curve in curves.items()}
    batch = [_waiting(tune, number, curve) for number, curve in reached.items()]
    others = {number: [*earlier, *(trial for trial in batch if trial.number != number)] for number in waiting}
    return [number for number in waiting if Pruning(tune, others[number], number).replay(reached[number])]


def _waiting(tune: Tune, number: int, curve: list[Row]) -> Trial:
    """Return a trial of which this is known so far, with its log loss at each rung."""
    noting = Pruning(tune, [], number)
    noting.replay(curve)
    return Trial(Drawn(number, {}), "pruned", curve=curve, rungs=noting.rungs)


def pruner(tune: Tune) -> "BasePruner":
    """Return Optuna's pruner with resources in epochs."""
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

    first = -(-tune.epochs // SHARE)
    match tune.pruner:
        case "halving":
            return SuccessiveHalvingPruner(min_resource=first, reduction_factor=KEPT_OF)
        case "hyperband":
            return HyperbandPruner(min_resource=first, max_resource=tune.epochs, reduction_factor=KEPT_OF)
        case "median":
            return MedianPruner(n_startup_trials=MEDIAN_AFTER, n_warmup_steps=first)
        case _:
            return NopPruner()


def _ended(trial: Trial | None) -> "FrozenTrial":
    """Return a trial as pruners know it; one that is not known, or was neither completed nor pruned, has failed."""
    from optuna.trial import TrialState, create_trial

    if trial is None or trial.state not in ("complete", "pruned"):
        return create_trial(state=TrialState.FAIL)
    curve = {epoch: row["validation_log_loss"] for epoch, row in enumerate(trial.curve, start=1)}
    complete = trial.state == "complete"
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
        value=0.0 if complete else None,  # pruners read curves only
        intermediate_values=curve,
        system_attrs=dict(trial.rungs),
    )
