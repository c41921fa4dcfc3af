"""Training a student on what a teacher answers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from darkroom.decision.rule import Rule

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary

TEMPERATURE = 4.0  # of the teacher's answers: the larger, the more they say of the classes that are not the best
TAUGHT = 0.7  # share of the teacher's answer in a target; the rest is the label

Answer = Callable[[np.ndarray], np.ndarray]  # pixels (n, size, size, 3) -> probabilities (n, classes) float32


class Distilled:
    """Varies pictures as another variation does, and mixes the teacher's softened answers on them into the targets.

    G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015 (arXiv:1503.02531). The teacher
    sees the picture as the student does: L. Beyer et al., Knowledge distillation: a good teacher is patient and
    consistent, CVPR 2022. The student's logits are the softened ones: its own temperature is found on validation.
    """

    def __init__(self, variation: "Vary", teacher: Answer) -> None:
        self.variation = variation
        self.teacher = teacher
        self._soften = Rule(TEMPERATURE, 0.0, 0.0).calibrate

    def vary(
        self, pixels: np.ndarray, targets: np.ndarray, rows: np.ndarray, epoch: int, part: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what Vary.vary does; a column of weights behind the classes stays."""
        pixels, targets = self.variation.vary(pixels, targets, rows, epoch, part)
        soft = self._soften(self.teacher(pixels))
        taught = targets.copy()
        taught[:, : soft.shape[1]] = TAUGHT * soft + (1 - TAUGHT) * targets[:, : soft.shape[1]]
        return pixels, taught


def answer_of(network: "keras.Model", pictures_at_once: int) -> Answer:
    """Return what a network answers, some pictures at a time."""
    import tensorflow as tf

    traced = tf.function(lambda batch: network(batch, training=False), autograph=False, reduce_retracing=True)

    def answer(pixels: np.ndarray) -> np.ndarray:
        starts = range(0, len(pixels), pictures_at_once)
        parts = [traced(tf.constant(pixels[start : start + pictures_at_once], tf.float32)) for start in starts]
        return np.concatenate([np.asarray(part) for part in parts])

    return answer
