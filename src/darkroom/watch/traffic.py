"""The traffic of one version: what came of its requests, and the answers that are compared."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkroom.decision.reference import FACTS, directions

COLUMNS = (
    *("version", "time", "label", "score", "abstains", "unfamiliar", "error", "milliseconds"),
    *FACTS,
    "features",
)


@dataclass(frozen=True)
class Requests:
    """The latest requests: their number, shares of 0-1, milliseconds, and the seconds since 1970 of first and last."""

    count: int
    errors: float
    abstained: float
    unfamiliar: float
    p50: float
    p95: float
    first: float
    last: float


def summarise(rows: pd.DataFrame) -> Requests:
    """Return what came of the requests `rows`, one at least, with COLUMNS of the log."""
    answered = rows[rows["error"].isna()]
    p50, p95 = np.quantile(rows["milliseconds"].to_numpy(float), [0.5, 0.95]).tolist()
    abstained, unfamiliar = (_share(answered[name]) for name in ("abstains", "unfamiliar"))
    first, last = rows["time"].min(), rows["time"].max()
    return Requests(len(rows), 1 - len(answered) / len(rows), abstained, unfamiliar, p50, p95, first, last)


def _share(flags: pd.Series) -> float:
    return float(flags.astype(float).mean()) if len(flags) else 0.0


def comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the answers among `rows`, with COLUMNS of the log, as a table like that of decision.reference.

    Those without facts are left out. Features are those of all answers, or none.
    """
    answered = rows[rows["error"].isna()].dropna(subset=["label", "score", *FACTS])
    table = (
        answered[list(FACTS)]
        .astype("float32")
        .assign(predicted=answered["label"].astype("str"), score=answered["score"].astype("float32"), features=None)
    )
    if len(answered) and answered["features"].notna().all():
        # as they are saved in the reference
        rounded = directions(np.stack(answered["features"].to_list())).astype(np.float16)
        table["features"] = pd.Series(list(rounded), table.index)
    return table.reset_index(drop=True)
