"""What later traffic is compared with: facts and answers of pictures that the network has not learnt."""

from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.decision.familiarity import unit_rows

NAME = "validation.parquet"  # in the folder of the decision
FACTS = ("width", "height", "brightness", "sharpness")  # as in tables.MANIFEST
ROWS = 2000  # at most
NUMBERS = 64  # of the features of a picture, at most


def directions(features: np.ndarray) -> np.ndarray:
    """Return the directions (n, at most NUMBERS) float32 of features (n, features).

    More features than that are projected at random, the same way everywhere, which keeps distances within some 15 %:
    D. Achlioptas, Database-friendly random projections, PODS 2001.
    """
    rows = unit_rows(np.asarray(features, np.float32))
    if rows.shape[1] <= NUMBERS:
        return rows
    signs = np.random.default_rng(0).integers(0, 2, (rows.shape[1], NUMBERS)) * 2 - 1
    return np.asarray(rows @ (signs / np.sqrt(NUMBERS)).astype(np.float32))


def write_reference(
    folder: Path, facts: pd.DataFrame, predicted: np.ndarray, score: np.ndarray, features: np.ndarray
) -> None:
    """Write a row for each picture to the folder of a decision; no row tells which picture it is.

    `facts` has the columns FACTS; `predicted` (n,) str and `score` (n,) are the answers, `features` those that
    `Familiarity` compares.
    """
    table = facts[list(FACTS)].astype("float32").reset_index(drop=True)
    table = table.assign(predicted=predicted, score=score.astype(np.float32))
    table["features"] = list(directions(features).astype(np.float16))
    table.to_parquet(folder / NAME, index=False)


def read_reference(folder: Path) -> pd.DataFrame:
    """Return what `write_reference` wrote, the pictures with all facts; raises OSError when the folder has none."""
    return pd.read_parquet(folder / NAME).dropna(subset=list(FACTS)).reset_index(drop=True)
