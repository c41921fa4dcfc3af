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


def load_code(bundle: Path) -> Any:
    """Import the bundle's code, the one folder in `bundle`/code, and return its module of answers.

    The folder's name contains the digest of its content, so a module already loaded under that name is the same.
    """
    (folder,) = (bundle / "code").iterdir()
    package = sys.modules.setdefault(folder.name, ModuleType(folder.name))
    package.__path__ = [str(folder)]
    return importlib.import_module(f"{folder.name}.package.answers")


class Predictor(PythonModel):
    """Answers a table with the column `image`; a row that is not a picture gets an error, the others their answer."""

    def load_context(self, context: Any) -> None:
        """Load code and network."""
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        bundle = Path(context.artifacts["bundle"])
        code = load_code(bundle)
        self.answers, self.columns = code.load_answers(bundle), code.COLUMNS

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the columns of answers.COLUMNS for each row of `model_input`."""
        if "image" not in model_input:  # MLflow leaves out other columns; a list of no records has none
            raise ValueError("the request has no pictures; each row needs the column `image`")
        return pd.DataFrame(self.answers(model_input["image"].tolist()), columns=self.columns, dtype=object)


set_model(Predictor())
