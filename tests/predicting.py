"""`darkroom predict`, and the photos that it is asked about."""

from pathlib import Path

import pytest
from PIL import Image

from darkroom.cli.main import main
from pictures import encode, write_files

COLOURS = {"red": (250, 5, 5), "green": (5, 250, 5), "blue": (5, 5, 250), "grey": (99, 99, 99)}
FILES = {f"{name}.png": encode(Image.new("RGB", (9, 12), colour)) for name, colour in COLOURS.items()}
HEADER = "path,label,score,set,abstains,error,ood_score"


def write_photos(folder: Path) -> None:
    """Write four pictures, one of them twice, and files that are none."""
    write_files(folder, {**FILES, "deep/down/red.jpg": FILES["red.png"], ".hidden": b"", "z.png": b"x"})


def predict(*words: str, model: str = "models") -> int:
    """Run the command and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--model", model, *words])
    return int(ended.value.code or 0)
