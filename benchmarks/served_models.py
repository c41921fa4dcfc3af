"""Models to serve, with weights drawn by chance, which cost what trained ones do: three forms of one network."""

import base64
import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from working_copy import ROOT

CLASSES = 10
NETWORKS = {
    32: {},  # what params.yaml says
    224: {"architecture": "MobileNet", "width": 0.25, "weights": "none", "head": "average", "dense": []},
}
PLAIN = "plain"  # the network alone, by MLflow's own flavour


def write_models(folder: Path, size: int) -> dict[str, Path]:
    """Write and return a network of NETWORKS as MLflow models: {"onnx", "keras": our predictor's runtimes, PLAIN}."""
    from darkroom.execution.quiet import silence_libraries

    silence_libraries()
    import keras
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    from darkroom.models.architecture import build_network
    from darkroom.params.load import load_params

    folder.mkdir()
    params = load_params(ROOT / "params.yaml")
    keras.utils.set_random_seed(0)
    network = build_network(params.model.model_copy(update=NETWORKS[size]), size, CLASSES)
    network.save(folder / "model.keras")
    made = {runtime: _write_ours(folder, runtime, size) for runtime in ("auto", "keras")}
    signature = ModelSignature(Schema([TensorSpec(np.dtype(np.uint8), (-1, size, size, 3))]))
    mlflow.keras.save_model(network, str(folder / PLAIN), signature=signature)
    return {"onnx": made["auto"], "keras": made["keras"], PLAIN: folder / PLAIN}


def _write_ours(folder: Path, runtime: str, size: int) -> Path:
    import keras
    import mlflow

    from darkroom.decision.familiarity import Familiarity, unit_rows
    from darkroom.decision.rule import Rule
    from darkroom.decision.saving import write_decision
    from darkroom.models.features import with_features
    from darkroom.package.bundle import PREDICTOR, write_bundle
    from darkroom.params.load import load_params

    chance = np.random.default_rng(0)
    params, bundle, decision = load_params(ROOT / "params.yaml"), folder / runtime / "bundle", folder / runtime / "rule"
    network = with_features(keras.saving.load_model(folder / "model.keras", compile=False))
    features = unit_rows(chance.normal(size=(2000, network.outputs[1].shape[1])))
    write_decision(decision, Rule(1.0, 0.95, 0.1), Familiarity(features, 10, 1.0))
    image = params.image.model_copy(update={"size": size})
    package = params.package.model_copy(update={"runtime": runtime})
    seen = chance.integers(0, 256, (8, size, size, 3), np.uint8)
    names = [f"class {place}" for place in range(CLASSES)]
    print(f"{size} px:", write_bundle(bundle, folder / "model.keras", decision, names, image, package, lambda: seen))
    model = folder / f"{runtime}-model"
    mlflow.pyfunc.save_model(
        model, python_model=str(PREDICTOR), artifacts={"bundle": str(bundle)}, pip_requirements=["mlflow"]
    )
    return model


def picture(size: int) -> bytes:
    """Return a file as people send it: a PNG of 32x32 in noise, which compresses worst; else a JPEG of 500x375."""
    file = BytesIO()
    if size == 32:
        Image.effect_noise((32, 32), 100).convert("RGB").save(file, "PNG")
    else:
        smooth = Image.effect_noise((50, 38), 60).convert("RGB").resize((500, 375), Image.Resampling.BICUBIC)
        Image.blend(smooth, Image.effect_noise((500, 375), 40).convert("RGB"), 0.3).save(file, "JPEG", quality=85)
    return file.getvalue()


def request(form: str, size: int, count: int = 1) -> bytes:
    """Return the body of a request with so many pictures; to PLAIN, which takes only those, as numbers in JSON."""
    data = picture(size)
    if form == PLAIN:
        with Image.open(BytesIO(data)) as image:
            numbers = np.asarray(image.convert("RGB").resize((size, size)))
        return json.dumps({"inputs": [numbers.tolist()] * count}).encode()
    return json.dumps({"inputs": [base64.b64encode(data).decode()] * count}).encode()
