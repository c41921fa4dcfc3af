"""The built-in data set: scikit-learn's 1,797 handwritten digits, as PNG files in class folders."""

from pathlib import Path

# E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998), CC BY 4.0
LEVELS = 16  # the grey values are 0 to 16


def write_digits(folder: Path) -> None:
    """Write the digits below `folder` as <digit>/<number>.png, 8x8 greyscale."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = (digits.images * (255 / LEVELS)).round().astype("uint8")
    for number, (picture, digit) in enumerate(zip(pixels, digits.target, strict=True)):
        path = folder / str(digit) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
