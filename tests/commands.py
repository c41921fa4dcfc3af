"""The `darkroom` command, in the process of the tests."""

import pytest

from darkroom.cli.main import main


def run(*words: str) -> int:
    """Run `darkroom` with these words and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        main([*words])
    return int(ended.value.code or 0)
