"""What is known of each picture apart from its pixels: its path, its group, and the facts that ingest has measured."""

import pandas as pd


def picture_facts(manifest: pd.DataFrame, curated: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest's rows of the curated pictures, with their group_id; the index is image_id."""
    groups = curated.set_index("image_id")["group_id"]
    return manifest.set_index("image_id").loc[groups.index].assign(group_id=groups)
