"""What trying the network tells: robustness, pictures of something else, heat maps, cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from darkroom.corruption.robustness import consistency, measure_corruptions, summarise_robustness
from darkroom.decision.familiarity import Familiarity
from darkroom.evaluate.measure import Measured, pictures_at_once
from darkroom.evaluate.other_data import separation
from darkroom.evaluate.pictures import Maps
from darkroom.evaluation_page.content import Robustness, Unfamiliar
from darkroom.examples.sampling import evenly
from darkroom.explain.faithfulness import faithfulness
from darkroom.explain.feature_maps import feature_map_sheet
from darkroom.explain.heat_maps import Mapper, heat_mapper
from darkroom.explain.occlusion import occlusion_maps
from darkroom.images.overlay import overlay
from darkroom.pages.embedded import data_url
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras

OCCLUDED = 6  # pictures; each is answered some hundred times
SMALL = 64  # pixels a side, at most, of pictures that are occluded
JUDGED = (6, 48)  # pictures whose heat maps are judged, by their size; each is answered some hundred times
JUDGED_PIXELS = 32_000  # of them together
EXPLAINED_AT_ONCE = (1, 16)  # pictures, by their size: the gradient keeps all activations in memory
EXPLAINED_PIXELS = 2**18  # of them together


@dataclass(frozen=True)
class Explanations:
    """Overlays of the worst errors, how faithful heat maps are, and the feature maps of one picture."""

    maps: Maps
    faithfulness: dict[str, float] | None
    feature_maps: str | None


def study_robustness(network: "keras.Model", test: Measured, params: DeclaredParams) -> Robustness | None:
    """Return accuracy under corruptions on some pictures of test; None when params.yaml switches it off."""
    wanted, batch = params.evaluate.robustness, pictures_at_once(params)
    if not wanted.pictures:
        return None
    rows = evenly(len(test.answers), wanted.pictures)
    pixels, labels = test.examples.pixels[test.examples.rows[rows]], test.answers.labels[rows]

    def answer(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(network.predict_on_batch(pictures))

    table = measure_corruptions(answer, pixels, labels, wanted.kinds, batch)
    clean = float((test.answers.predicted[rows] == labels).mean())
    found, stays = summarise_robustness(table, clean), consistency(answer, pixels, batch)
    return Robustness(clean, found["mean"], found["relative"], table, stays["flip"], stays["shift"])


def study_unfamiliar(
    both: "keras.Model", familiarity: Familiarity, test: Measured, others: np.ndarray | None, params: DeclaredParams
) -> Unfamiliar:
    """Return how many test pictures count as unfamiliar and, against `others` (m, size, size, 3) uint8, ROC AUC.

    `both` gives probabilities and features.
    """
    scores = familiarity.score(test.features)
    flagged = float((scores > 1).mean())
    if others is None:
        return Unfamiliar(flagged)
    _, features = both.predict(others, batch_size=pictures_at_once(params), verbose=0)
    return Unfamiliar(flagged, params.evaluate.other_data, separation(scores, familiarity.score(features)))


def explain_errors(network: "keras.Model", test: Measured, errors: np.ndarray, params: DeclaredParams) -> Explanations:
    """Return the heat maps of the wrong answers in the rows `errors`, of what was predicted."""
    if not params.evaluate.heat_maps:
        return Explanations(Maps({}, {}), None, None)
    pictures = test.examples.pixels
    rows = evenly(len(test.answers), int(np.clip(JUDGED_PIXELS // params.image.size**2, *JUDGED)))
    pixels, classes = pictures[test.examples.rows[rows]], test.answers.predicted[rows]
    mapper = heat_mapper(network)
    heat = mapper(pixels, classes, _explained_at_once(params))
    judged = faithfulness(network, pixels, classes, heat, pictures_at_once(params), seed=0)
    sheet = feature_map_sheet(network, pixels[0])
    return Explanations(_overlays(network, mapper, test, errors, params), judged, data_url(sheet))


def _explained_at_once(params: DeclaredParams) -> int:
    return int(np.clip(EXPLAINED_PIXELS // params.image.size**2, *EXPLAINED_AT_ONCE))


def _overlays(
    network: "keras.Model", mapper: Mapper, test: Measured, errors: np.ndarray, params: DeclaredParams
) -> Maps:
    if not len(errors):
        return Maps({}, {})
    pixels, classes = test.examples.pixels[test.examples.rows[errors]], test.answers.predicted[errors]
    ids = test.answers.image_ids[errors].tolist()
    heat = _urls(ids, pixels, mapper(pixels, classes, _explained_at_once(params)))
    if not params.evaluate.occlusion or params.image.size > SMALL:
        return Maps(heat, {})
    some = slice(OCCLUDED)
    drops = occlusion_maps(network, pixels[some], classes[some], pictures_at_once(params))
    scale = np.maximum(drops.max(axis=(1, 2), keepdims=True), 1e-6)
    return Maps(heat, _urls(ids[some], pixels[some], drops / scale))


def _urls(ids: list[str], pixels: np.ndarray, maps: np.ndarray) -> dict[str, str]:
    from PIL import Image

    drawn = (Image.fromarray(overlay(*both)) for both in zip(pixels, maps, strict=True))
    return {image_id: data_url(image) for image_id, image in zip(ids, drawn, strict=True)}
