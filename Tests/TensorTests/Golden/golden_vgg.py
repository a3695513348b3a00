"""The VGG of make_golden.py."""

import torch
from torch import nn
from torch.nn import functional


class VGG(nn.Module):
    def __init__(self, norm_of, spec, h, w, c, classes):
        super().__init__()
        width, norm = spec["width"], spec["norm"]
        inputs = c
        self.rows = []
        for number, channels in enumerate([width, 2 * width, 2 * width]):
            row = nn.Module()
            for layer in (1, 2):
                conv = nn.Conv2d(inputs, channels, 3, padding=1, bias=norm == "none")
                row.add_module(f"conv{layer}", conv)
                row.add_module(f"bn{layer}", norm_of(norm, channels))
                inputs = channels
            self.add_module(f"layer{number + 1}", row)
            self.rows.append(f"layer{number + 1}")
        self.fc1 = nn.Linear(inputs * (h // 8) * (w // 8), 16 * width)
        self.fc2 = nn.Linear(16 * width, classes)

    def forward(self, x):
        for name in self.rows:
            row = getattr(self, name)
            x = torch.relu(row.bn1(row.conv1(x)))
            x = functional.max_pool2d(torch.relu(row.bn2(row.conv2(x))), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))
