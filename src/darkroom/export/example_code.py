"""The stand-alone example of an export: about 15 lines that need its library, NumPy and Pillow, and not darkroom."""

from darkroom.export.formats import FORMATS
from darkroom.params.schema import ImageParams

RESIZE = {
    "squash": "picture.resize(({size}, {size}), Image.Resampling.BILINEAR)",
    "crop": "ImageOps.fit(picture, ({size}, {size}), Image.Resampling.BILINEAR)",
    "pad": "ImageOps.pad(picture, ({size}, {size}), Image.Resampling.BILINEAR, {background!r})",
}
IMPORTS = {
    "litert": "from ai_edge_litert.interpreter import Interpreter",
    "onnx": "import onnxruntime",
    "openvino": "import openvino",
    "saved-model": "import tensorflow as tf",
    "keras": "import keras",
}
ANSWER = {  # from `model` and `pixels` (1, size, size, 3) uint8 to `probabilities` (classes,)
    "litert": """\
interpreter = Interpreter(model_path=model)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
interpreter.invoke()
probabilities = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
""",
    "onnx": """\
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.disable_quant_qdq", "1")  # int8 weights become floats once, when loaded
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
probabilities = session.run(None, {"pixels": pixels})[0][0]
""",
    "openvino": """\
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
probabilities = compiled([pixels])[0][0]
""",
    "saved-model": """\
loaded = tf.saved_model.load(model)
probabilities = loaded.serve(pixels).numpy()[0]
""",
    "keras": """\
probabilities = keras.saving.load_model(model, compile=False).predict(pixels, verbose=0)[0]
""",
}
CODE = '''\
"""Print the class of a picture: python example.py PICTURE (pip install {package} numpy pillow).

A plain RGB or greyscale picture of 8 bits gives the pixels that the model was trained with, a JPEG much larger than
{size} pixels nearly those. Transparent parts, colour profiles and greyscale of more bits are handled more simply here
than in training.
"""

import sys
from pathlib import Path

import numpy as np
{imports}
from PIL import Image, ImageOps

folder = Path(__file__).parent
picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
pixels = np.asarray({resize})[None]
model = str(folder / "{model}")
{answer}\
labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
print(labels[probabilities.argmax()], f"{{probabilities.max():.3f}}")
'''


def example_code(name: str, image: ImageParams) -> str:
    """Return the text of example.py for an export of the format `name`, with the resizing of image.resize."""
    return CODE.format(
        package=FORMATS[name].package,
        model=FORMATS[name].model,
        imports=IMPORTS[name],
        answer=ANSWER[name],
        size=image.size,
        resize=RESIZE[image.resize].format(size=image.size, background=image.background),
    )
