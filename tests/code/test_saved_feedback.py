"""Pictures whose answer was corrected, and the table of them."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from darkroom.core.feedback import read_feedback, save_feedback

NAME = sha256(b"picture").hexdigest() + ".png"


def test_a_corrected_picture_is_kept_below_its_label(tmp_path: Path) -> None:
    path = save_feedback(tmp_path, b"picture", ".png", "a cat", "dog, or not", "3")
    assert path == tmp_path / "a cat" / NAME and path.read_bytes() == b"picture"
    assert (tmp_path / "feedback.csv").read_text() == (
        f'path,label,predicted,version\na cat/{NAME},a cat,"dog, or not",3\n'
    )


def test_a_picture_has_one_line_and_the_last_label(tmp_path: Path) -> None:
    for label in ("cat", "cat", "cow"):
        save_feedback(tmp_path, b"picture", ".png", label, "dog", "3")
    save_feedback(tmp_path, b"other", ".png", "cat", "dog", "3")
    assert [row["label"] for row in read_feedback(tmp_path)] == ["cow", "cat"]
    assert [path.parent.name for path in tmp_path.glob(f"*/{NAME}")] == ["cow"]


@pytest.mark.parametrize("label", ["cat", "cow"])
def test_what_was_deleted_or_moved_by_hand_is_kept_once_with_the_last_label(tmp_path: Path, label: str) -> None:
    path = save_feedback(tmp_path, b"picture", ".png", "cat", "dog", "3")
    path.unlink()
    assert save_feedback(tmp_path, b"picture", ".png", "cat", "dog", "3").read_bytes() == b"picture"
    (tmp_path / "hen").mkdir()
    path.rename(tmp_path / "hen" / NAME)
    save_feedback(tmp_path, b"picture", ".png", label, "dog", "3")
    assert list(tmp_path.glob(f"*/{NAME}")) == [tmp_path / label / NAME]
    assert [row["path"] for row in read_feedback(tmp_path)] == [f"{label}/{NAME}"]


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: save_feedback(tmp_path, bytes([n]), ".png", "cat", "dog", "3"), range(20)))
    assert {row["path"] for row in read_feedback(tmp_path)} == {f"cat/{f.name}" for f in (tmp_path / "cat").iterdir()}
    assert len(read_feedback(tmp_path)) == 20


@pytest.mark.parametrize("label", ["", " ", "..", "a/b", "a\\b", ".cat", "a\nb", "x" * 300, "猫" * 150])
def test_a_label_that_is_no_name_of_a_folder_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(ValueError, match="no name of a folder"):
        save_feedback(tmp_path, b"picture", ".png", label, "dog", "3")
    assert not list(tmp_path.iterdir())
