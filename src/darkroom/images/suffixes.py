"""Which format the suffix of a file stands for."""

import pandas as pd

SUFFIXES = {
    **dict.fromkeys(("jpg", "jpeg", "jpe", "jfif"), "JPEG"),
    **dict.fromkeys(("jp2", "j2k"), "JPEG2000"),
    **dict.fromkeys(("tif", "tiff"), "TIFF"),
    **{name.lower(): name for name in ("PNG", "GIF", "WEBP", "BMP", "AVIF")},
}


def wrong_suffix(files: pd.DataFrame) -> pd.Series:
    """Return whether the suffix of each file (path, format), a picture, stands for another format."""
    expected = files["path"].str.extract(r"\.(\w+)$", expand=False).str.lower().map(SUFFIXES)
    return expected.notna() & files["format"].notna() & (expected != files["format"])
