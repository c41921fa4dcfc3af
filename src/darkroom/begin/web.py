"""A file at a web address, written to disk as it arrives."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.begin.links import RESERVE
from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.sizes import size_text
from darkroom.execution.progress import progress

if TYPE_CHECKING:
    from requests import Response

CHUNK = 1 << 20  # bytes


def download_file(address: str, target: Path, check: Callable[[Path], None]) -> int:
    """Download what an http or https address gives to `target`, if `check` lets it pass; return its size in bytes.

    A file that is there already is kept, and 0 returned, when it is as large as what the address gives.
    Raises UserError.
    """
    if target.exists():
        _get(address, partial(_require_same_size, target=target))
        return 0
    with replacing(target) as temporary:
        _get(address, partial(_write, file=temporary))
        check(temporary)
        return temporary.stat().st_size


def _get(address: str, take: "Callable[[Response], None]") -> None:
    from darkroom.ingest.downloads import download  # importing requests takes 0.2 s

    try:
        download(address, take)
    except OSError as problem:
        raise UserError(f"{address}: {problem.strerror or problem}") from None


def _write(response: "Response", file: Path) -> None:
    size = int(response.headers.get("Content-Length") or 0)
    free = shutil.disk_usage(file.parent).free - RESERVE
    if size > free:
        raise UserError(f"{file.parent} has no room for {size_text(size)}; free some space first")
    with file.open("wb") as out:
        for chunk in progress(response.iter_content(CHUNK), -(-size // CHUNK) or None, "megabytes downloaded"):
            out.write(chunk)
            if out.tell() > free:
                raise UserError(f"{file.parent} has no room for more than {size_text(free)}; free some space first")


def _require_same_size(response: "Response", target: Path) -> None:
    if response.headers.get("Content-Length") != str(target.stat().st_size):
        raise UserError(
            f"{target} is there already and is not as large as what {response.url} gives; begin with {target} to use "
            f"it as it is, or rename or delete it first"
        )
