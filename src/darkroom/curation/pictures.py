"""The readable pictures of a manifest in little memory: numbers and categories, texts only while they are needed."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.fingerprint import CHUNK, hash_texts
from darkroom.core.tables import CORRECTED, CURATED, IN_TEST, MANIFEST, REASONS

Read = Callable[[list[str]], pd.DataFrame]  # returns columns of a table

REASON = pd.CategoricalDtype([*REASONS, CORRECTED, IN_TEST])
KEYS = ("sha256", "group")  # of which only matters where they are equal
HASH_KEY = "equal texts_____"


def read_parts(path: Path, columns: list[str]) -> Iterator[pd.DataFrame]:
    """Yield columns of a parquet file, CHUNK rows at a time."""
    from pyarrow.parquet import ParquetFile

    for batch in ParquetFile(path).iter_batches(CHUNK, columns=columns):
        yield batch.to_pandas()


class Pictures:
    """The rows of a manifest without an error, sorted by image_id and numbered from 0.

    `parts` yields columns of the manifest in parts. They are read when they are asked for and not kept: the texts of
    millions of rows would fill the memory. Without `feedback` only the source's own rows count.
    """

    def __init__(self, parts: Callable[[list[str]], Iterable[pd.DataFrame]], feedback: bool = True) -> None:
        self.parts = parts
        kept = pd.concat(
            [part["error"].isna() & (feedback | ~part["feedback"]) for part in parts(["error", "feedback"])]
        )
        self._rows = np.flatnonzero(kept)
        ids = self.texts("image_id")
        if not is_sorted(ids):
            self._rows = self._rows[ids.sort_values().index]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._rows)

    def texts(self, name: str, rows: pd.Index | None = None) -> pd.Series:
        """Return a column as it is in the manifest, of all pictures or of some rows."""
        column: pd.Series = self.columns([name], rows)[name]
        return column

    def columns(self, names: list[str], rows: pd.Index | None = None) -> pd.DataFrame:
        """Return columns as they are in the manifest, of all pictures or of some rows."""
        wanted, found, start = self._rows if rows is None else self._rows[rows], [], 0
        ordered = np.sort(wanted)
        for part in self.parts(names):
            first, end = np.searchsorted(ordered, (start, start + len(part)))
            found.append(part.iloc[ordered[first:end] - start])
            start += len(part)
        table = pd.concat(found, ignore_index=True)
        if not np.array_equal(ordered, wanted):
            table = table.iloc[np.searchsorted(ordered, wanted)]
        return table.set_axis(pd.RangeIndex(len(self)) if rows is None else rows)

    def table(self, names: list[str]) -> pd.DataFrame:
        """Return columns: texts as categories, those of KEYS as the number of the first row with an equal one."""
        keys = {name: self.first_equal(name) for name in names if name in KEYS}
        facts = self.columns([name for name in names if name not in KEYS])
        texts = [name for name in names if name in facts and MANIFEST[name] == "str"]
        return facts.astype(dict.fromkeys(texts, "category")).assign(**keys)

    def first_equal(self, name: str) -> np.ndarray:
        """Return the number (int64) of the first row with an equal text; where that is missing its own."""
        hashes = np.concatenate([hash_texts(part[name], HASH_KEY) for part in self.parts([name])])
        return first_equal(hashes[self._rows], lambda rows: self.texts(name, rows))


def is_sorted(texts: pd.Series) -> bool:
    """Return whether no text is smaller than the one before it."""
    return bool((texts.array[1:] >= texts.array[:-1]).all())


def first_equal(hashes: np.ndarray, texts: Callable[[pd.Index], pd.Series]) -> np.ndarray:
    """Return, for each text, the number (int64) of the first row with an equal one; for a missing one its own.

    `hashes` are those of all texts, `texts` returns those of some rows. Only texts with equal hashes are compared: a
    table of all would take several times their memory.
    """
    order = np.argsort(hashes)
    equal = np.flatnonzero(np.diff(hashes[order]) == 0)
    found = texts(pd.Index(np.unique(np.concatenate([order[equal], order[equal + 1]])))).dropna()
    codes, rows = pd.factorize(found)[0], found.index.to_numpy()
    first = np.arange(len(hashes))
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
