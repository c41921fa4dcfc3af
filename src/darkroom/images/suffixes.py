"""What the suffix of a file says of its format."""

import pandas as pd

SUFFIXES = {
    **dict.fromkeys(("jpg", "jpeg", "jpe", "jfif"), "JPEG"),
    **dict.fromkeys(("jp2", "j2k"), "JPEG2000"),
    **dict.fromkeys(("tif", "tiff"), "TIFF"),
    **{name.lower(): name for name in ("PNG", "GIF", "WEBP", "BMP", "AVIF")},
}


def wrong_suffix(files: pd.DataFrame) -> pd.Series:
    """Return whether each file (path, format) is a picture of another format than its suffix says."""
    said = files["path"].str.extract(r"\.(\w+)$", expand=False).str.lower().map(SUFFIXES)
    return said.notna() & files["format"].notna() & (said != files["format"])
