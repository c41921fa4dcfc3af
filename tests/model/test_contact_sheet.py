from pathlib import Path

from PIL import Image

from darkroom.augmentation.contact_sheet import GAP, HEADINGS, LABELS, TILE, contact_sheet
from easy import data, small_params


def test_a_sheet_has_a_labelled_row_for_each_picture_as_it_is_and_in_eight_epochs(tmp_path: Path) -> None:
    train, params = data()["train"], small_params(augment={"brightness": 0.5})
    sheet = contact_sheet(train, params, tmp_path / "augmented.png")
    assert sheet.size == (LABELS + 9 * (TILE + GAP), HEADINGS + 8 * (TILE + GAP))
    original = Image.fromarray(train.pixels[train.rows[0]]).resize((TILE, TILE), Image.Resampling.NEAREST)
    tiles = [sheet.crop((x, HEADINGS, x + TILE, HEADINGS + TILE)) for x in (LABELS, LABELS + TILE + GAP)]
    assert tiles[0].tobytes() == original.tobytes() != tiles[1].tobytes()
    for text in ((0, HEADINGS, LABELS, HEADINGS + TILE), (LABELS, 0, LABELS + TILE, HEADINGS)):
        assert len(sheet.crop(text).getcolors(1 << 20) or []) > 1  # something is written there
    contact_sheet(train, params, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "augmented.png").read_bytes()
