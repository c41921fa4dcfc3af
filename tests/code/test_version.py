from pathlib import Path

import pytest

from darkroom.package.version import version_of

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("beside", "version"),
    [
        ("model_name: darkroom\nmodel_version: '7'\n", "7"),
        ("model_name: darkroom\nmodel_version: 12\n", "12"),
        ("model_name: null\nmodel_version: null\n", "0123456789ab"),  # fetched by its id
        ("", "0123456789ab"),
        (None, "0123456789ab"),
    ],
)
def test_a_version_is_its_number_or_the_start_of_its_digest(beside: str | None, version: str, tmp_path: Path) -> None:
    bundle = tmp_path / "artifacts" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "digest").write_text(DIGEST + "\n")
    if beside is not None:
        (tmp_path / "registered_model_meta").write_text(beside)
    assert version_of(bundle) == version
