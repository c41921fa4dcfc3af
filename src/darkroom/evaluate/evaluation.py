"""A trained network, evaluated: everything that is found out about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.evaluate.answers_study import AnswersStudy, study_answers
from darkroom.evaluate.decide import fit_familiarity, fit_rule
from darkroom.evaluate.measure import Measured, measure, with_out_of_fold
from darkroom.evaluate.network_study import (
    Explanations,
    explain_errors,
    study_robustness,
    study_unfamiliar,
)
from darkroom.evaluate.pictures import worst_errors
from darkroom.evaluation_page.content import Robustness, Unfamiliar
from darkroom.examples.pixels import Examples
from darkroom.examples.predictions import Predictions
from darkroom.models.features import with_features
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras

ERRORS = 24  # wrong answers on the page, also when fewer have heat maps


@dataclass(frozen=True)
class Evaluation:
    """What is found out about a network; `measured` are calibrated answers, `errors` rows of test, the worst first."""

    rule: Rule
    familiarity: Familiarity
    measured: dict[str, Measured]
    study: AnswersStudy
    robustness: Robustness | None
    unfamiliar: Unfamiliar
    errors: np.ndarray
    explanations: Explanations

    @property
    def answers(self) -> dict[str, Predictions]:
        """The answers on each split."""
        return {split: part.answers for split, part in self.measured.items()}


def evaluate_network(
    network: "keras.Model",
    data: dict[str, Examples],
    out_of_fold: pd.DataFrame,
    facts: pd.DataFrame,
    other: Path,
    params: DeclaredParams,
) -> Evaluation:
    """Return all that is found out; `out_of_fold` (tables.ANSWERS) counts with `ensemble.folds`, `other` is data/other/.

    `facts` as of `facts.picture_facts`. Validation decides the rule, test measures it.
    """
    both = with_features(network)
    measured = measure(both, data, params.evaluate.batch_size)
    familiarity = fit_familiarity(measured["train"].features, measured["validation"].features)
    if params.ensemble.folds:
        measured = with_out_of_fold(measured, out_of_fold)
    validation = measured["validation"].answers
    rule = fit_rule(validation.labels, validation.probabilities, params.evaluate.coverage)
    measured = {split: part.calibrated(rule) for split, part in measured.items()}
    test = measured["test"]
    errors = worst_errors(test.answers, max(ERRORS, params.evaluate.heat_maps))
    return Evaluation(
        rule=rule,
        familiarity=familiarity,
        measured=measured,
        study=study_answers({split: part.answers for split, part in measured.items()}, facts, rule),
        robustness=study_robustness(network, test, params),
        unfamiliar=study_unfamiliar(both, familiarity, test, other, params),
        errors=errors,
        explanations=explain_errors(network, test, errors[: params.evaluate.heat_maps], params),
    )
