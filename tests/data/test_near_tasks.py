"""The search for near duplicates in tasks finds what the search in one process finds."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.core.errors import UserError
from darkroom.dedupe import candidate_tasks
from darkroom.dedupe.candidate_tasks import find_candidate_files, mapped
from darkroom.dedupe.candidates import MOST_ROWS, NEAREST, as_pairs, find_candidates, merge
from darkroom.dedupe.comparing import gather_thumbnails
from darkroom.images.packed import read_thumbnails
from pictures import class_files, ingested, write_files

RADIUS = 14


class Twice(ThreadPoolExecutor):
    """Does all work twice at the same time, as a cluster does that believes a worker dead; answers with one result."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        super().submit(work, *arguments, **options)
        return super().submit(work, *arguments, **options)


def found_in_tasks(hashes: np.ndarray, folder: Path, executor: Executor) -> np.ndarray:
    files = find_candidate_files(hashes, RADIUS, folder, executor)
    return as_pairs(merge(*map(mapped, files)), len(hashes))


def random_hashes() -> np.ndarray:
    chance = np.random.default_rng(1)
    hashes = chance.integers(0, 2**64, 5000, np.uint64)
    hashes[4000:] = hashes[:1000] ^ np.uint64(1) << chance.integers(0, 64, 1000, np.uint64)
    return hashes


def alike_hashes() -> np.ndarray:
    """Return hashes of which so many are close that only the nearest are kept, more than once."""
    return np.random.default_rng(2).integers(0, 2**12, 500).astype(np.uint64)


HASHES = {
    "random": random_hashes(),
    "alike": alike_hashes(),
    "equal": np.zeros(3, np.uint64),
    "no": random_hashes()[:0],
}


@pytest.mark.parametrize("kind", HASHES)
def test_pairs_are_those_of_one_process(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_tasks, "PAIRS_PER_TASK", (5000, 30_000))
    hashes = HASHES[kind]
    with Twice(3) as executor:
        found = found_in_tasks(hashes, tmp_path, executor)
    assert np.array_equal(found, find_candidates(hashes, RADIUS))
    assert len(found) <= NEAREST * len(hashes)
    assert (len(list(tmp_path.glob("nearest-*"))) > 1) == (kind == "alike")


def test_more_pictures_than_can_be_numbered_are_refused_at_once(tmp_path: Path) -> None:
    hashes = np.broadcast_to(np.uint64(0), MOST_ROWS + 1)  # eight bytes
    with ThreadPoolExecutor(1) as executor, pytest.raises(UserError, match="at most 134,217,728 pictures"):
        found_in_tasks(hashes, tmp_path, executor)
    with pytest.raises(UserError, match=r"and there are 134,217,729; set dedupe\.near to false"):
        find_candidates(hashes, RADIUS)


def test_a_picture_that_is_not_packed_is_an_error(tmp_path: Path) -> None:
    ingested(write_files(tmp_path / "raw", class_files("a", "b", each=2)), tmp_path / "images")
    with Twice(2) as executor, pytest.raises(KeyError, match=r"pictures of the manifest that are not below .*: 1"):
        gather_thumbnails(tmp_path / "images", np.array([b"no such picture"]), tmp_path, executor)


def test_thumbnails_stand_in_one_file_in_the_order_of_their_ids(tmp_path: Path) -> None:
    manifest = ingested(write_files(tmp_path / "raw", class_files("a", "b", each=2)), tmp_path / "images")
    ids = manifest["image_id"].to_numpy(dtype=str)[1:]
    with Twice(2) as executor:
        file = gather_thumbnails(tmp_path / "images", ids.astype("S"), tmp_path, executor)
    assert file.read_bytes() == read_thumbnails(tmp_path / "images", ids).tobytes()
