"""`darkroom predict`, and the photos that it is asked about."""

from pathlib import Path

from PIL import Image

from commands import run
from pictures import encode, write_files

COLOURS = {"red": (250, 5, 5), "green": (5, 250, 5), "blue": (5, 5, 250), "grey": (99, 99, 99)}
FILES = {f"{name}.png": encode(Image.new("RGB", (9, 12), colour)) for name, colour in COLOURS.items()}
HEADER = "path,label,score,set,abstains,error,ood_score"


def write_photos(folder: Path) -> None:
    """Write four pictures, one of them twice, and files that are none."""
    write_files(folder, {**FILES, "deep/down/red.jpg": FILES["red.png"], ".hidden": b"", "z.png": b"x"})


def predict(*words: str, model: str = "models") -> int:
    """Run the command with a model and return its exit status."""
    return run("predict", "--model", model, *words)
