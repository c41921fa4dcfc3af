"""Setting values of params.yaml: checked before they are written; comments are kept, reasons only where they hold."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from darkroom.core.files import replacing
from darkroom.params.commented_yaml import WHOLE_MAPPINGS, dump_document, overlay, parse_document, plain_values
from darkroom.params.load import Overlay, check_params, leaves, load_params
from darkroom.params.reasons import Reasons, split_reasons, with_reasons

Changes = dict[str, tuple[Any, Any]]  # "section.key" -> value before and after


def edit_params(
    file: Path,
    parts: Iterable[Overlay],
    origin: str,
    reasons: Reasons | None = None,
    explained: Collection[str] = (),
    dry: bool = False,
) -> Changes:
    """Lay `parts` over params.yaml, one after the other, and return what that changes.

    `reasons` are written above their keys. Earlier ones stay where the value does, but not in the sections `explained`,
    which `reasons` explains as a whole. Raises UserError, naming `origin`, for values that are not possible; the file
    is then as it was, as it is with `dry`.
    """
    load_params(file)
    before = file.read_text(encoding="utf-8")
    text, earlier = split_reasons(before)
    document = parse_document(text)
    old = leaves(plain_values(document), WHOLE_MAPPINGS)
    for part in parts:
        overlay(document, part)
    check_params(plain_values(document), origin)
    new = leaves(plain_values(document), WHOLE_MAPPINGS)
    changes = {key: (old.get(key), value) for key, value in new.items() if old.get(key) != value}
    kept = {
        key: lines for key, lines in earlier.items() if key not in changes and key.partition(".")[0] not in explained
    }
    after = with_reasons(dump_document(document) if changes else text, kept | (reasons or {}))
    if after != before and not dry:
        with replacing(file) as unfinished:
            unfinished.write_text(after, encoding="utf-8")
    return changes
