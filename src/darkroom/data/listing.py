"""What there is to read: the source that params.yaml names, opened, and an entry for each of its files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from darkroom.data.digits import write_digits
from darkroom.data.layout import Entry, is_system_file, read_layout, relabel
from darkroom.data.sources import Source, open_source
from darkroom.errors import UserError
from darkroom.params.data import Ingest
from darkroom.paths import project_root, workspace


@contextmanager
def open_ingest_source(source: str, raw: Path) -> Iterator[Source]:
    """Open `ingest.source`: the built-in digits, or a path below data/raw/; raises UserError."""
    where = f"params.yaml: ingest.source = {source!r}"
    if source == "digits":
        with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
            write_digits(Path(folder))
            with open_source(Path(folder), where) as opened:
                yield opened
        return
    path = (raw / source).absolute()
    if raw.absolute() not in path.parents or ".." in path.parts:
        raise UserError(f"{where}: must be a path below data/raw/; copy or link the pictures there")
    if not path.exists() and workspace() != project_root():  # dvc exp run --temp, or the queue
        raise UserError(f"{where}: is not in the experiment's own folder; `dvc add data/raw/{source}`, then try again")
    with open_source(path, where) as opened:
        yield opened


def list_entries(source: Source, params: Ingest) -> tuple[list[Entry], int]:
    """Return an entry for each file and the number of files that operating systems left, which are passed over."""
    members = source.members()
    kept = [member for member in members if not is_system_file(member.path)]
    return relabel(read_layout(kept), params.labels), len(members) - len(kept)


