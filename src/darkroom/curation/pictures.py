"""The readable pictures of a manifest in little memory: numbers and categories, texts only while they are needed."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from darkroom.core.fingerprint import hash_texts
from darkroom.core.tables import CORRECTED, CURATED, IN_TEST, MANIFEST, REASONS

Read = Callable[[list[str]], pd.DataFrame]  # returns columns of a table

REASON = pd.CategoricalDtype([*REASONS, CORRECTED, IN_TEST])
KEYS = ("sha256", "group")  # of which only matters where they are equal
HASH_KEY = "equal texts_____"


class Pictures:
    """The rows of a manifest without an error, sorted by image_id and numbered from 0.

    `read` returns columns of the manifest, its index from 0. They are read when they are asked for and not kept: the
    texts of millions of rows would fill the memory. Without `feedback` only the source's own rows count.
    """

    def __init__(self, read: Read, feedback: bool = True) -> None:
        facts = read(["image_id", "error", "feedback"])
        self.read = read
        self._rows = np.flatnonzero(facts["error"].isna() & (feedback | ~facts["feedback"]))
        ids = facts["image_id"].iloc[self._rows]
        if not is_sorted(ids):
            self._rows = ids.sort_values().index.to_numpy()

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._rows)

    def texts(self, name: str, rows: pd.Index | None = None) -> pd.Series:
        """Return a column as it is in the manifest, of all pictures or of some rows."""
        column = self.read([name])[name]
        if rows is None:
            return column.iloc[self._rows].reset_index(drop=True)
        return column.iloc[self._rows[rows]].set_axis(rows)

    def table(self, names: list[str]) -> pd.DataFrame:
        """Return columns: texts as categories, those of KEYS as the number of the first row with an equal one."""
        return pd.DataFrame({name: self._compact(name) for name in names}, copy=False)

    def _compact(self, name: str) -> pd.Series:
        if name in KEYS:
            return pd.Series(first_equal(self.texts(name)))
        column = self.texts(name)
        return column.astype("category") if MANIFEST[name] == "str" else column


def is_sorted(texts: pd.Series) -> bool:
    """Return whether no text is smaller than the one before it."""
    return bool((texts.array[1:] >= texts.array[:-1]).all())


def first_equal(texts: pd.Series) -> np.ndarray:
    """Return, for each text, the number (int64) of the first row with an equal one; for a missing one its own.

    Texts are only compared where their hashes are equal: a table of all of them would take several times their memory.
    """
    hashes = hash_texts(texts, HASH_KEY)
    order = np.argsort(hashes)
    equal = np.flatnonzero(np.diff(hashes[order]) == 0)
    rows = np.unique(np.concatenate([order[equal], order[equal + 1]]))
    rows = rows[texts.iloc[rows].notna()]
    codes = pd.factorize(texts.iloc[rows])[0]
    first = np.arange(len(texts))
    first[rows] = rows[np.unique(codes, return_index=True)[1]][codes]
    return first


def to_names(curated: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Return the table CURATED from the one in which row numbers stand for ids; `ids` are those of the rows."""
    names = {name: ids.iloc[curated[name]].array for name in ("duplicate_id", "group_id")}
    return curated.assign(image_id=ids.array, **names)[list(CURATED)].astype(CURATED)


def to_numbers(read: Read) -> pd.DataFrame:
    """Return the table CURATED, which `read` returns by columns, with row numbers in place of ids."""
    ids = read(["image_id"])["image_id"]
    table = {name: _places(read([name])[name], ids) for name in ("duplicate_id", "group_id")}
    rest = read(["label", "keep", "reason"])
    reason = rest["reason"].astype(REASON)
    return pd.DataFrame({**table, "label": rest["label"].astype("category"), "keep": rest["keep"], "reason": reason})


def _places(names: pd.Series, ids: pd.Series) -> np.ndarray:
    """Return the row of `ids` that has each name; most rows have their own."""
    places = np.arange(len(ids))
    others = np.flatnonzero((names != ids).to_numpy(bool))
    named = np.flatnonzero(ids.isin(names.iloc[others].unique()))
    places[others] = named[pd.Index(ids.iloc[named]).get_indexer(pd.Index(names.iloc[others]))]
    return places
