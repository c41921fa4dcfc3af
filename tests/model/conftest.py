"""TensorFlow is started once for all tests of this folder."""

import pytest

from darkroom.training.runtime import start_tensorflow


@pytest.fixture(scope="session", autouse=True)
def tensorflow() -> None:
    start_tensorflow(2)
