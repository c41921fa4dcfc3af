"""Muon for networks with convolutions; imported where an optimizer is built."""

from math import prod
from typing import Any

import keras


class ConvolutionMuon(keras.optimizers.Muon):
    """Keras's Muon, for matrices only, widened to the kernels of convolutions as matrices (inputs, filters).

    The last layer, biases and normalisations are moved by AdamW. The steps are scaled so that both take the same rate.
    K. Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024; J. Liu et al., Muon is scalable for
    LLM training, 2025 (arXiv:2502.16982).
    """

    def __init__(self, learning_rate: Any, **options: Any) -> None:
        super().__init__(learning_rate, exclude_layers=["probabilities", "second_class"], **options)

    def _should_use_adamw(self, variable: Any) -> bool:
        is_kernel = len(variable.shape) == 4 and variable.shape[-1] > 1  # 1: one map at a time, no matrix
        return not is_kernel and bool(super()._should_use_adamw(variable))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Return `x`, a kernel, made nearly orthogonal.

        The same as Keras's iteration X <- X p(X'X), but on X'X, which commutes with all its polynomials: X, which is
        some nine times as large, is needed first and last only.
        """
        ops = keras.ops
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        tall = matrix if matrix.shape[0] >= matrix.shape[1] else ops.transpose(matrix)
        tall = tall / (ops.norm(tall) + 1e-7)
        square = ops.transpose(tall) @ tall
        whole = identity = ops.eye(square.shape[0], dtype=square.dtype)
        for _ in range(steps):
            once = self.muon_a * identity + self.muon_b * square + self.muon_c * square @ square
            whole, square = whole @ once, square @ once @ once
        moved = tall @ whole
        return ops.reshape(moved if tall.shape == matrix.shape else ops.transpose(moved), x.shape)

    def lr_adjust(self, x: Any) -> Any:
        """Return the step `x` of a kernel, scaled as a matrix of its size."""
        return x * (self.rms_rate * max(prod(x.shape[:-1]), x.shape[-1]) ** 0.5)
