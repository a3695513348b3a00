#!/usr/bin/env python3
"""Recomputes FedAvg with resnet8 on CIFAR-10 in PyTorch, from a run folder.

A second, independent check besides replay.py: convolutions, group norm and residual blocks, with
PyTorch's autograd and optimizer. Weights are read through load_state_dict. Prints
|ours - theirs| / |theirs - w0| over all parameters; exit 1 above the limit.

Usage:
  fedsim run scenario.json --set federation.rounds=0 --out START
  fedsim run scenario.json --out RUN
  python3 replay_torch.py RUN START [limit, 1e-3 unless given]

The scenario needs one strategy fedavg, one seed, a data set of kind cifar10, model resnet8 with
group norm and 8 groups, "activation": "gelu" (a ReLU's kink turns one rounding into 1e-4 and more),
"augment": [], client.order "sequential", whole epochs, optimizer sgd, a constant schedule,
participation 1.

Versions this was written with: Python 3.11, torch 2.15.0, safetensors 0.8.0, NumPy 2.4.6.
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.GroupNorm(8, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.GroupNorm(8, outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.GroupNorm(8, outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.gelu(self.bn1(self.conv1(x)))))
        return F.gelu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet8(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.GroupNorm(8, width)
        self.layer1 = nn.Sequential(Block(width, width, 1))
        self.layer2 = nn.Sequential(Block(width, 2 * width, 2))
        self.layer3 = nn.Sequential(Block(2 * width, 4 * width, 2))
        self.fc = nn.Linear(4 * width, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.gelu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def main(run, start, limit):
    scenario = json.loads((run / "scenario.resolved.json").read_text())
    norm = json.loads((run / "split/normalization.json").read_text())
    clients = json.loads((run / "split/partition.json").read_text())["clients"]
    client, rounds = scenario["client"], scenario["federation"]["rounds"]
    folder = pathlib.Path(scenario["data"]["dataset"]["path"])
    files = [folder / f"data_batch_{i}.bin" for i in range(1, 6)]
    records = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy())
    mean = torch.tensor(norm["mean"])[:, None, None]
    std = torch.tensor(norm["std"])[:, None, None]

    (folder_of_run,) = run.glob("fedavg*-s*")
    ours = load_file(folder_of_run / "final/generic.safetensors")
    first = load_file(start / folder_of_run.name / "final/generic.safetensors")
    net = ResNet8(scenario["model"]["width"])
    model = {name: tensor.clone() for name, tensor in first.items()}
    total = sum(map(len, clients))
    for _ in range(rounds):
        after = {name: torch.zeros_like(model[name], dtype=torch.float64) for name in model}
        for mine in clients:
            net.load_state_dict(model)
            rule = client["optimizer"]
            optimizer = torch.optim.SGD(
                net.parameters(), lr=rule["learningRate"], momentum=rule["momentum"],
                weight_decay=rule["weightDecay"], nesterov=rule["nesterov"])
            for _ in range(int(client["work"]["epochs"])):
                for at in range(0, len(mine), client["batch"]):
                    batch = mine[at:at + client["batch"]]
                    optimizer.zero_grad()
                    x = (images[batch].float() / 255 - mean) / std
                    F.cross_entropy(net(x), labels[batch]).backward()
                    optimizer.step()
            for name, tensor in net.state_dict().items():
                after[name] += tensor.double() * (len(mine) / total)
        model = {name: tensor.float() for name, tensor in after.items()}

    def distance(a, b):
        return sum(((a[name] - b[name]).double() ** 2).sum().item() for name in a) ** 0.5

    error = distance(model, ours) / distance(model, first)
    print(f"fedavg: |ours - theirs| / |theirs - w0| = {error:.2e}")
    return error <= limit


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    limit = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-3
    sys.exit(0 if main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), limit) else 1)
