"""The digest of a table."""

import hashlib

import pandas as pd


def table_digest(table: pd.DataFrame) -> str:
    """Return the sha256, in hex, of a table's values in their order; missing ones count, the index does not."""
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
