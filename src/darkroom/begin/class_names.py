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


def propose_for_classes(classes: Mapping[str, int]) -> list[Proposal]:
    """Propose, for {class: pictures}, to join spellings of one class and to leave out classes that are too small."""
    spellings = _spellings(classes)
    joined: dict[str, int] = defaultdict(int)
    for name, count in classes.items():
        joined[spellings.get(name, name)] += count
    small = {name: count for name, count in sorted(joined.items()) if count < MIN_PICTURES}
    found = [_join(spellings, classes)] if spellings else []
    return [*found, _leave_out(small)] if small else found


def _join(spellings: dict[str, str], classes: Mapping[str, int]) -> Proposal:
    pairs = [f"{old} ({classes[old]:,}) and {new} ({classes[new]:,})" for old, new in spellings.items()]
    return Proposal("ingest.labels", _as_yaml(spellings), f"these look like one class: {', '.join(pairs)}")


def _leave_out(small: dict[str, int]) -> Proposal:
    named = ", ".join(f"{name} ({count})" for name, count in small.items())
    reason = f"fewer than {MIN_PICTURES} pictures, with which validate stops: {named}; add more, or leave them out"
    return Proposal("ingest.labels", _as_yaml(dict.fromkeys(small)), reason)


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
