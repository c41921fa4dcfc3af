"""Facts in which all pictures agree: named in a sentence, where a chart would hold a single bar."""

import pandas as pd

FACTS = ("width", "height", "format", "mode", "orientation", "palette")


def constant_facts(pictures: pd.DataFrame) -> dict[str, object]:
    """Return {column: value} of the facts that have one value in all pictures; None where all lack it."""
    constant = [name for name in FACTS if pictures[name].nunique(dropna=False) == 1]
    values = {name: pictures[name].iloc[0] for name in constant}
    return {name: None if pd.isna(value) else value for name, value in values.items()}


def constants_sentence(pictures: pd.DataFrame) -> str:
    """Return what is the same in all pictures, such as "All pictures are 8 x 8 pixels, PNG, mode L."; "": nothing."""
    constants = constant_facts(pictures)
    parts = [_size(constants, pictures), constants.get("format"), *_rest(constants)]
    agreed = [str(part) for part in parts if part]
    palettes = pictures["palette"].dropna()
    sentences = [f"All pictures are {', '.join(agreed)}."] if agreed else []
    if palettes.nunique() == 1 and "palette" not in constants:
        sentences.append(f"{len(palettes):,} with a palette of {palettes.iloc[0]} colours.")
    return " ".join(sentences)


def _size(constants: dict[str, object], pictures: pd.DataFrame) -> str:
    sides = [constants.get(side) for side in ("width", "height")]
    if all(sides):
        return f"{sides[0]:,} x {sides[1]:,} pixels"
    square = "square" if (pictures["width"] == pictures["height"]).all() else ""
    names = (f"{side:,} pixels {name}" for side, name in zip(sides, ("wide", "high"), strict=True) if side)
    return next(names, square)


def _rest(constants: dict[str, object]) -> list[str]:
    texts = [f"mode {constants['mode']}"] if constants.get("mode") else []
    turned = constants.get("orientation")
    if turned:
        texts.append("upright as stored" if turned == 1 else f"turned (EXIF orientation {turned})")
    return texts + ([f"of {constants['palette']} palette colours"] if constants.get("palette") else [])
