"""The digest of a table, however long."""

import hashlib

import pandas as pd


def table_digest(table: pd.DataFrame) -> str:
    """Return the sha256, in hex, of the values of a table, row by row; missing ones count, the index does not."""
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
