"""What is known of each picture apart from its pixels: its path, its group, and the facts that ingest has measured."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.decision.reference import ROWS, write_reference
from darkroom.evaluate.measure import Measured
from darkroom.examples.sampling import evenly


def picture_facts(manifest: pd.DataFrame, curated: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest's rows of the curated pictures, with their group_id; the index is image_id."""
    groups = curated.set_index("image_id")["group_id"]
    return manifest.set_index("image_id").loc[groups.index].assign(group_id=groups)


def save_reference(folder: Path, measured: dict[str, Measured], facts: pd.DataFrame, folds: bool) -> None:
    """Write what `darkroom watch` compares the traffic with to the folder of the decision.

    It is about validation; with folds about test, because the networks together have learnt all the others.
    """
    part = measured["test" if folds else "validation"]
    rows = evenly(len(part.answers), ROWS)
    probabilities = part.answers.probabilities[rows]
    predicted = np.array(part.answers.classes)[probabilities.argmax(axis=1)]
    known = facts.loc[part.answers.image_ids[rows]]
    write_reference(folder, known, predicted, probabilities.max(axis=1), part.features[rows])
