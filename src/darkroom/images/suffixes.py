"""Which format the suffix of a file stands for."""

from io import BytesIO

import pandas as pd
from PIL import Image

from darkroom.images.decode import FORMATS, silent_pillow

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


def suffix_of(data: bytes) -> str:
    """Return the usual suffix, with its dot, of a picture's format; the bytes must be a picture."""
    with silent_pillow():
        kind = Image.open(BytesIO(data), formats=FORMATS).format or ""
    return "." + next((suffix for suffix, name in SUFFIXES.items() if name == kind), kind.lower())
