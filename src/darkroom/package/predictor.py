"""The served model as MLflow loads it: a table of pictures in base64 in, a table of answers out.

A copy of this file belongs to each version, so it imports nothing of the library: the code that answers comes with the
bundle, under a name of its own. Versions in one process, or beside another state of the library, keep their own code.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}  # TensorFlow and Keras read them at import

SERVED = "__pyfunc_model_path__"  # `mlflow models serve` tells its server by this variable what to load


def load_code(bundle: Path) -> Any:
    """Import the bundle's code, the one folder in `bundle`/code, and return its module of answers.

    The folder's name contains the digest of its content, so a module already loaded under that name is the same.
    """
    (folder,) = (bundle / "code").iterdir()
    package = sys.modules.setdefault(folder.name, ModuleType(folder.name))
    package.__path__ = [str(folder)]
    return importlib.import_module(f"{folder.name}.package.answers")


class Predictor(PythonModel):
    """Answers on pictures in all the forms of requests.pictures_in; one that cannot be read has an error instead."""

    def load_context(self, context: Any) -> None:
        """Load code and network; in MLflow's server, answer its requests without the way through pandas."""
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        bundle = Path(context.artifacts["bundle"])
        self.code = load_code(bundle)
        self.answers = self.code.load_answers(bundle)
        if SERVED in os.environ:
            self.code.serve(self.answers)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the columns of answers.COLUMNS for each picture, with `explain` heat_map too.

        `model_input` is a table with the column `image`, or one column without a name, or what requests.pictures_in
        takes. Raises ValueError for wrong `params` (options.read_options).
        """
        options = self.code.read_options(params)
        given: Any = model_input  # MLflow takes the type hint for a signature, and warns of any other
        if isinstance(given, pd.Series):
            given = given.to_frame()
        if isinstance(given, pd.DataFrame):
            unnamed = len(given.columns) == 1 and not isinstance(given.columns[0], str)  # of a list of values
            column = given.columns[0] if unnamed else "image"
            values = given[column].tolist() if column in given else self.code.pictures_in({})
        else:
            values = self.code.pictures_in(given)
        columns = [*self.code.COLUMNS, *([self.code.HEAT_MAP] if options.explain else [])]
        return pd.DataFrame(self.answers(values, options), columns=columns, dtype=object)


set_model(Predictor())
