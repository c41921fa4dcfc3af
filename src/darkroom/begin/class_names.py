"""What the names and sizes of the classes suggest: two spellings of one class, and classes that are too small."""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

import yaml

from darkroom.begin.facts import Proposal

LETTER = r"[^\W\d_]"
BETWEEN_LETTERS = re.compile(rf"(?<={LETTER})[\s_.-]+(?={LETTER})")  # German shepherd, german_shepherd
BETWEEN = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")  # class 1, class_1; but -1 is not 1
MIN_PICTURES = 10  # of a class: validate.min_per_class
NAMED = 5  # classes in a reason, at most


def propose_for_classes(classes: Mapping[str, int]) -> list[Proposal]:
    """Propose, for {class: pictures}, to join spellings of one class, and what to do about classes that are too small.

    They are left out; where fewer than two classes, or fewer than half, would remain, the limit of validate is lowered.
    """
    usual = {name: name for name in classes} | _spellings(classes)
    joined: dict[str, int] = defaultdict(int)
    for name, count in classes.items():
        joined[usual[name]] += count
    small = {name: count for name, count in sorted(joined.items()) if count < MIN_PICTURES}
    if small and (len(joined) - len(small) < 2 or 2 * len(small) > len(joined)):
        lower = Proposal("validate.min_per_class", str(min(small.values())), f"{_too_small(small)} allow them")
        return [*_relabel(usual, classes, {}), lower]
    return _relabel(usual, classes, small)


def _relabel(usual: Mapping[str, str], classes: Mapping[str, int], small: Mapping[str, int]) -> list[Proposal]:
    """Propose to give classes their usual spelling and to leave out the small ones, in one mapping."""
    labels = {old: None if new in small else new for old, new in sorted(usual.items()) if new in small or old != new}
    pairs = [f"{old} ({classes[old]:,}) and {new} ({classes[new]:,})" for old, new in usual.items() if old != new]
    reasons = [f"these look like one class: {_first_few(pairs)}"] if pairs else []
    reasons += [f"{_too_small(small)} leave them out"] if small else []
    return [Proposal("ingest.labels", _as_yaml(labels), "; ".join(reasons))] if labels else []


def _too_small(small: Mapping[str, int]) -> str:
    named = _first_few([f"{name} ({count})" for name, count in small.items()])
    return f"fewer than {MIN_PICTURES} pictures, with which validate stops: {named}; add more, or"


def _first_few(texts: list[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join([*texts[:NAMED], *([f"and {more:,} more"] if more > 0 else [])])


def _spellings(classes: Mapping[str, int]) -> dict[str, str]:
    """Return {rarer spelling: the most frequent spelling of the same name}, sorted."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(classes):
        alike[_plain(name)].append(name)
    found: dict[str, str] = {}
    for names in alike.values():
        usual = max(names, key=lambda name: classes[name])
        found |= {name: usual for name in names if name != usual and len(name) > 1}  # A and a may be two letters
    return dict(sorted(found.items()))


def _plain(name: str) -> str:
    """Return a name in lower case and in the singular, without separators."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    text = BETWEEN.sub(" ", BETWEEN_LETTERS.sub("", text))
    if re.search(rf"{LETTER}{{3}}s$", text) and not text.endswith("ss"):
        text = re.sub(r"(?<=ss|ch|sh)e$|(?<=[xz])e$", "", re.sub("ies$", "ys", text)[:-1])
    return text


def _as_yaml(mapping: Mapping[str, str | None]) -> str:
    return yaml.safe_dump(dict(mapping), default_flow_style=True, allow_unicode=True, width=math.inf).strip()
