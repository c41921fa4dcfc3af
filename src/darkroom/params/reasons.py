"""Why a value of params.yaml is what it is: whole lines of comment above its key, which programs write and remove."""

import re
from collections.abc import Iterator

from ruamel.yaml.comments import CommentedMap

from darkroom.params.commented_yaml import WHOLE_MAPPINGS, parse_document

CHOSEN, PROPOSED = "# chosen: ", "# proposed: "
REASON = re.compile(rf"^ *(?:{CHOSEN}|{PROPOSED})")

Reasons = dict[str, list[str]]  # by "section.key": lines that begin with CHOSEN or PROPOSED


def split_reasons(text: str) -> tuple[str, Reasons]:
    """Return the text of params.yaml without the reasons, and the reasons."""
    plain: list[str] = []
    above: dict[int, list[str]] = {}  # by the number of the line that follows, in the text without reasons
    for line in text.splitlines(keepends=True):
        if REASON.match(line):
            above.setdefault(len(plain), []).append(line.strip())
        else:
            plain.append(line)
    left = "".join(plain)
    keys = {line: key for key, line, _ in _places(parse_document(left))} if above else {}
    return left, {keys[line]: lines for line, lines in above.items() if line in keys}


def with_reasons(text: str, reasons: Reasons) -> str:
    """Return the text with each reason above its key, indented as the key is; a reason without a key is left out."""
    lines = text.splitlines(keepends=True)
    places = _places(parse_document(text)) if reasons else ()  # to parse a file with its comments takes 50 ms
    for key, line, indent in sorted(places, key=lambda place: -place[1]):
        lines[line:line] = [f"{' ' * indent}{' '.join(reason.split())}\n" for reason in reasons.get(key, [])]
    return "".join(lines)


def _places(section: CommentedMap, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield "section.key", line and column of each value that has a line of its own."""
    for key, value in section.items():
        name = f"{prefix}{key}"
        nested = isinstance(value, CommentedMap) and name not in WHOLE_MAPPINGS
        if nested and value and not value.fa.flow_style():
            yield from _places(value, f"{name}.")
        else:
            line, column = section.lc.key(key)
            yield name, line, column
