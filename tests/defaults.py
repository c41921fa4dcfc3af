"""The committed parameters, read once in a process: that takes 40 ms, and nobody can change them."""

from functools import cache

from darkroom.params.load import load_params
from darkroom.params.schema import Params
from pictures import ROOT


@cache
def default_params() -> Params:
    return load_params(ROOT / "params.yaml")
