from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from darkroom.evaluate.example import write_example
from darkroom.images.decode import decode
from darkroom.images.packed import write_shard
from darkroom.images.thumbnails import THUMBNAIL_BYTES
from defaults import default_params
from pictures import encode, noise


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_example_is_small_and_decodes_to_what_the_network_sees(tmp_path: Path, resize: str, kind: str) -> None:
    image = default_params().image.model_copy(update={"resize": resize})
    large = encode(noise("large", 60).resize((1200, 800)), kind)
    write_shard(tmp_path / "0.parquet", [("id", large, bytes(THUMBNAIL_BYTES))])
    write_example(tmp_path, "id", image, tmp_path / "example.png")
    example = (tmp_path / "example.png").read_bytes()
    assert np.array_equal(decode(example, **image.model_dump()), decode(large, **image.model_dump()))
    with Picture.open(tmp_path / "example.png") as picture:
        assert picture.size == (image.size, image.size)
