"""The reference of the recipes for CIFAR-10: the network and the recipe of airbench94. Needs PyTorch, and nothing else.

python benchmarks/airbench94_peer.py PICTURES.npz bfloat16|float32 SEED    prints a line of JSON

Written after K. Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024 (arXiv:2404.00498). That is for GPUs;
here the weights are float32 and the operations in the given precision (autocast), channels last.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EPOCHS, BATCH, MOMENTUM, SMOOTHING = 9.9, 1024, 0.85, 0.2
RATE, DECAY, BIAS_SCALE, BIAS_EPOCHS = 11.5, 0.0153, 64, 3
WIDTHS, HEAD_SCALE, QUIET, SHIFT = (64, 256, 256), 1 / 9, 5e-4, 2
THREADS = 2


class Group(nn.Sequential):
    """Convolution, pooling, normalisation, GELU, convolution, normalisation, GELU."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(
            convolution(inputs, width), nn.MaxPool2d(2), normalisation(width), nn.GELU(),
            convolution(width, width), normalisation(width), nn.GELU(),
        )  # fmt: skip


def convolution(inputs: int, width: int) -> nn.Conv2d:
    """Return a convolution whose first filters copy the inputs."""
    layer = nn.Conv2d(inputs, width, 3, padding="same", bias=False)
    nn.init.dirac_(layer.weight.data[:inputs])
    return layer


def normalisation(width: int) -> nn.BatchNorm2d:
    """Return a batch normalisation without a trained scale."""
    layer = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


class Network(nn.Module):
    """Whitened patches of 2x2, three groups, maximum pooling, a linear layer."""

    def __init__(self, pictures: torch.Tensor) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        patches = pictures[:5000].unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        kernel = (vectors / torch.sqrt(values + QUIET)).T.reshape(12, 3, 2, 2)
        self.whiten.weight.data = torch.cat([kernel, -kernel])
        self.whiten.weight.requires_grad = False
        nn.init.zeros_(self.whiten.bias)
        self.groups = nn.Sequential(*(Group(*pair) for pair in zip((24, *WIDTHS), WIDTHS, strict=False)))
        self.head = nn.Linear(WIDTHS[-1], 10, bias=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits (n, 10)."""
        maps = self.groups(functional.gelu(self.whiten(pixels)))
        return self.head(functional.max_pool2d(maps, 3).flatten(1)) * HEAD_SCALE


def build_optimizer(network: Network, rate: float, decay: float) -> torch.optim.SGD:
    """Return SGD whose rate for the normalisations' offsets is `BIAS_SCALE` times higher."""
    trained = {name: value for name, value in network.named_parameters() if value.requires_grad}
    offsets = [value for name, value in trained.items() if name.startswith("groups") and name.endswith("bias")]
    others = [value for name, value in trained.items() if not (name.startswith("groups") and name.endswith("bias"))]
    groups = [
        {"params": offsets, "lr": rate * BIAS_SCALE, "weight_decay": decay / rate / BIAS_SCALE},
        {"params": others, "lr": rate, "weight_decay": decay / rate},
    ]
    return torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)


def varied(padded: torch.Tensor, mirrored: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the chosen pictures, shifted and mirrored."""
    places = torch.arange(32)
    down, across = torch.randint(0, 2 * SHIFT + 1, (2, len(chosen), 1))
    columns = torch.where(mirrored[chosen, None], 31 - places, places) + across
    return padded[chosen[:, None, None], :, (places + down)[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def train(pictures: torch.Tensor, labels: torch.Tensor, precision: torch.dtype) -> Network:
    """Train for `EPOCHS`."""
    network = Network(pictures).to(memory_format=torch.channels_last)
    scale = 1024 * (1 + 1 / (1 - MOMENTUM))
    optimizer = build_optimizer(network, RATE / scale, DECAY * BATCH / scale)
    steps = int(EPOCHS * (len(pictures) // BATCH)) + 1
    peak = int(0.23 * steps)
    rates = np.interp(np.arange(steps + 1), [0, peak, steps], [0.2, 1, 0.07])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[step])
    slow = {name: value.clone() for name, value in network.state_dict().items()}
    padded = functional.pad(pictures, [SHIFT] * 4, mode="reflect")
    mirrored = torch.rand(len(pictures)) < 0.5
    step = 0
    while step < steps:
        epoch = step // (len(pictures) // BATCH)
        network.whiten.bias.requires_grad = epoch < BIAS_EPOCHS
        order = torch.randperm(len(pictures))
        for batch in range(min(len(pictures) // BATCH, steps - step)):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            inputs = varied(padded, mirrored ^ bool(epoch % 2), chosen).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                logits = network(inputs)
            loss = functional.cross_entropy(logits.float(), labels[chosen], label_smoothing=SMOOTHING, reduction="sum")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            if step % 5 == 0:
                look_ahead(network, slow, 0.95**5 * (step / steps) ** 3)
    look_ahead(network, slow, 1.0)
    return network


def look_ahead(network: Network, slow: dict[str, torch.Tensor], kept: float) -> None:
    """Move the slow weights towards the quick ones, then go on from them."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                slow[name].lerp_(value, 1 - kept)
                value.copy_(slow[name])


@torch.no_grad()
def answer(network: Network, pictures: torch.Tensor, views: bool) -> torch.Tensor:
    """Return logits; averaged over mirror images and three places with `views`."""
    network.eval()
    found = []
    for part in pictures.split(1000):
        if not views:
            found.append(network(part))
            continue
        padded = functional.pad(part, [1] * 4, mode="reflect")
        seen = [(part, 0.5), (padded[:, :, :32, :32], 0.25), (padded[:, :, 2:, 2:], 0.25)]
        found.append(sum(share * (network(view) + network(view.flip(3))) / 2 for view, share in seen))
    return torch.cat(found)


def main(file: str, precision: str, seed: str) -> None:
    torch.manual_seed(int(seed))
    torch.set_num_threads(THREADS)
    data = np.load(file)
    mean, deviation = (figure((data["train"] / 255).reshape(-1, 3), 0) for figure in (np.mean, np.std))
    pictures, test = (
        torch.from_numpy(((data[name] / 255 - mean) / deviation).astype(np.float32).transpose(0, 3, 1, 2).copy())
        for name in ("train", "test")
    )
    start, start_cpu = time.perf_counter(), time.process_time()
    network = train(pictures, torch.from_numpy(data["train_labels"]).long(), getattr(torch, precision))
    cost = {"wall": time.perf_counter() - start, "cpu": time.process_time() - start_cpu}
    labels = torch.from_numpy(data["test_labels"]).long()
    right = {f"views {views}": (answer(network, test, views).argmax(1) == labels).float().mean() for views in (0, 1)}
    print(json.dumps({**cost, **{name: 100 * float(value) for name, value in right.items()}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
