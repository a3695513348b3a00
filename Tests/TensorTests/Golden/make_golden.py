"""Golden tensors from PyTorch for TensorTests.

    python -m pip install torch safetensors numpy
    python make_golden.py [folder]          # default: data/ beside this script

Weights and inputs are 32-bit; everything else is computed in 64-bit from them and rounded once, so
that a golden number is off by at most half an ulp. Versions are in each file's metadata.

The models are in golden_models.py, training in golden_training.py, both beside this script.

A layer file carries its network as a recipe: operations separated by ";", read by `Recipe` here and
by NetworkRecipe in the Swift tests. A model file carries the fields of a ModelSpec.
"""

import json
import os
import sys

import numpy
import safetensors
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

from golden_models import KINDS, LISTED, MODELS, TRANSFORMERS, attention, check_timm, over_tokens

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "data")
VERSIONS = {
    "torch": torch.__version__,
    "numpy": numpy.__version__,
    "safetensors": safetensors.__version__,
}


class ChannelLayerNorm(nn.LayerNorm):
    """LayerNorm over the channels of each position of an NCHW map."""

    def forward(self, x):
        if x.dim() == 2:
            return super().forward(x)
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class StandardisedConv(nn.Conv2d):
    """Qiao et al. 2019, as De et al. 2022 have it: gain·(W − mean)·rsqrt(max(var·fan_in, 1e-4))."""

    def __init__(self, *sizes, bias):
        super().__init__(*sizes, bias=bias)
        self.gain = nn.Parameter(torch.rand(self.out_channels) + 0.5)

    def forward(self, x):
        w = self.weight
        var, mean = torch.var_mean(w, (1, 2, 3), keepdim=True, unbiased=False)
        scale = torch.rsqrt(torch.clamp(var * w[0].numel(), min=1e-4))
        w = self.gain.reshape(-1, 1, 1, 1) * (w - mean) * scale
        return functional.conv2d(x, w, self.bias, self.stride, self.padding)


class Cosine(nn.Module):
    """Cosines with a row per class, which has length 1 if `unit`; times a number if `scaled`."""

    def __init__(self, inputs, outputs, scaled, unit):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.scale = nn.Parameter(torch.full((1,), 2.5)) if scaled else None
        self.unit = unit

    def forward(self, x):
        w = functional.normalize(self.weight) if self.unit else self.weight
        z = functional.normalize(x) @ w.T
        return z if self.scale is None else self.scale * z


def tempered(x, s, t, o):
    return s * torch.sigmoid(t * x) - o


# ------------------------------------------------------------------------------------ recipes


class Recipe(nn.Module):
    """A small network read from text; `h`, `w`, `c` is the size of its input."""

    def __init__(self, text, h, w, c):
        super().__init__()
        self.steps = [op.split() for op in text.split(";")]
        x = saved = torch.zeros(2, c, h, w)
        for op in self.steps:  # sizes are found by running each module once
            kind, rest = op[0], op[1:]
            width = x.shape[1]
            if kind == "conv":
                o, k, s, p, b = map(int, rest[1:])
                self.add_module(rest[0], nn.Conv2d(width, o, k, s, p, bias=bool(b)))
            elif kind == "ws":
                o, k, s, p, b = map(int, rest[1:])
                self.add_module(rest[0], StandardisedConv(width, o, k, s, p, bias=bool(b)))
            elif kind == "dense":
                inputs = x.flatten(1).shape[1]
                self.add_module(rest[0], nn.Linear(inputs, int(rest[1]), bias=bool(int(rest[2]))))
            elif kind == "cosine":
                self.add_module(rest[0], Cosine(x.flatten(1).shape[1], *map(int, rest[1:])))
            elif kind == "group":
                self.add_module(rest[0], nn.GroupNorm(int(rest[1]), width))
            elif kind == "batch":
                norm = nn.BatchNorm2d if x.dim() == 4 else nn.BatchNorm1d
                self.add_module(rest[0], norm(width))
            elif kind == "layer":
                self.add_module(rest[0], ChannelLayerNorm(width))
            elif kind == "linear":
                self.add_module(rest[0], nn.Linear(width, int(rest[1]), bias=bool(int(rest[2]))))
            elif kind == "tokens":
                self.cls_token = nn.Parameter(torch.randn(1, 1, width))
                count = x.shape[2] * x.shape[3] + 1
                self.pos_embed = nn.Parameter(torch.randn(1, count, width))
            x, saved = self.apply_step(op, x, saved)
        for module in self.modules():  # the trial run must leave no trace
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.reset_running_stats()

    def apply_step(self, op, x, saved):
        kind, rest = op[0], op[1:]
        if kind in ("conv", "ws", "group", "batch", "layer"):
            return getattr(self, rest[0])(x), saved
        if kind in ("dense", "cosine"):
            return getattr(self, rest[0])(x.flatten(1)), saved
        if kind == "linear":
            return over_tokens(getattr(self, rest[0]), x), saved
        if kind == "attention":
            return over_tokens(lambda t: attention(t, int(rest[0])), x), saved
        if kind == "tokens":
            t = x.flatten(2).transpose(1, 2)
            t = torch.cat([self.cls_token.expand(len(t), -1, -1), t], 1) + self.pos_embed
            return t.transpose(1, 2).unsqueeze(3), saved
        if kind == "first":
            return x[:, :, 0, 0], saved
        if kind == "relu":
            return torch.relu(x), saved
        if kind == "gelu":
            return functional.gelu(x), saved
        if kind == "tempered":
            return tempered(x, *map(float, rest)), saved
        if kind == "max":
            return functional.max_pool2d(x, *map(int, rest)), saved
        if kind == "avg":
            return functional.avg_pool2d(x, *map(int, rest)), saved
        if kind == "global":
            return x.mean((2, 3)), saved
        if kind == "mark":
            return x, x
        if kind == "swap":
            return saved, x
        if kind == "residual":
            return x + saved, saved
        raise ValueError(kind)

    def forward(self, x):
        saved = x
        for op in self.steps:
            x, saved = self.apply_step(op, x, saved)
        return x


# Every layer under test has a layer with parameters in front: the gradient of those is the test of
# its input gradient.
LAYERS = {
    "dense": (1, 1, 7, "dense fc1 9 1; relu; dense fc2 5 0; dense fc3 4 1"),
    "flatten": (3, 2, 4, "conv conv1 5 1 1 0 1; relu; dense fc1 6 1; relu; dense fc2 4 1"),
    "conv_k1_s2": (5, 7, 3, "conv conv1 4 1 1 0 1; relu; conv conv2 6 1 2 0 0; dense fc 4 1"),
    "conv_k3_p1": (5, 6, 3, "conv conv1 4 3 1 1 0; relu; conv conv2 5 3 1 1 1; dense fc 4 1"),
    "conv_k3_s2_p1": (7, 8, 2, "conv conv1 4 3 1 1 1; relu; conv conv2 5 3 2 1 0; dense fc 4 1"),
    "conv_k3_p0": (6, 5, 2, "conv conv1 3 1 1 0 1; relu; conv conv2 4 3 1 0 1; dense fc 4 1"),
    "conv_k5_p2": (6, 7, 2, "conv conv1 3 3 1 1 1; relu; conv conv2 4 5 1 2 1; dense fc 4 1"),
    "conv_k5_s2_p2": (9, 7, 2, "conv conv1 3 3 1 1 1; relu; conv conv2 4 5 2 2 0; dense fc 4 1"),
    "conv_k5_p0": (7, 8, 1, "conv conv1 3 3 1 1 1; relu; conv conv2 4 5 1 0 1; dense fc 4 1"),
    "conv_k1_p1": (3, 4, 2, "conv conv1 3 1 1 1 1; relu; conv conv2 3 1 1 1 1; dense fc 4 1"),
    # 17 output columns of 9·24 floats: the patch matrix needs more than one tile.
    "conv_tiles": (17, 17, 3,
        "conv conv1 24 3 1 1 1; relu; conv conv2 4 3 1 1 1; global; dense fc 4 1"),
    "group_norm": (4, 5, 3,
        "conv conv1 6 3 1 1 1; group n1 3; relu; conv conv2 4 3 1 1 0; group n2 2; "
        "dense fc 4 1"),
    "group_norm_one": (4, 3, 2, "conv conv1 6 3 1 1 0; group n1 1; dense fc 4 1"),
    "group_norm_each": (4, 3, 2, "conv conv1 6 3 1 1 0; group n1 6; relu; dense fc 4 1"),
    "batch_norm": (4, 5, 3,
        "conv conv1 6 3 1 1 0; batch n1; relu; conv conv2 4 3 1 1 0; batch n2; dense fc 4 1"),
    "batch_norm_vector": (1, 1, 6, "dense fc1 8 0; batch n1; relu; dense fc2 4 1"),
    "layer_norm": (4, 3, 3,
        "conv conv1 6 3 1 1 1; layer n1; relu; dense fc 8 1; layer n2; dense fc2 4 1"),
    "gelu": (4, 3, 2, "conv conv1 6 3 1 1 1; gelu; dense fc1 8 1; gelu; dense fc2 4 1"),
    "tempered_tanh": (1, 1, 6, "dense fc1 8 1; tempered 2 2 1; dense fc2 4 1"),
    "tempered": (4, 3, 2, "conv conv1 6 3 1 1 1; tempered 1.58 3 0.71; dense fc1 4 1"),
    "max_pool": (6, 8, 2, "conv conv1 4 3 1 1 1; max 2 2 0; relu; dense fc 4 1"),
    "max_pool_overlap": (7, 6, 2, "conv conv1 4 3 1 1 1; max 3 2 1; dense fc 4 1"),
    "max_pool_stride1": (5, 5, 2, "conv conv1 4 3 1 1 1; max 2 1 0; dense fc 4 1"),
    "max_pool_gaps": (8, 7, 2, "conv conv1 4 3 1 1 1; max 2 3 0; dense fc 4 1"),
    "avg_pool": (6, 8, 2, "conv conv1 4 3 1 1 1; avg 2 2 0; relu; dense fc 4 1"),
    "avg_pool_overlap": (7, 6, 2, "conv conv1 4 3 1 1 1; avg 3 2 1; dense fc 4 1"),
    "global_pool": (5, 3, 2, "conv conv1 6 3 1 1 1; relu; global; dense fc 4 1"),
    "residual": (4, 5, 3,
        "conv conv1 6 3 1 1 1; relu; mark; conv conv2 6 3 1 1 1; relu; "
        "conv conv3 6 3 1 1 1; residual; relu; global; dense fc 4 1"),
    "residual_down": (6, 5, 3,
        "conv conv1 4 3 1 1 1; relu; mark; conv conv2 6 3 2 1 0; group n1 2; relu; "
        "conv conv3 6 3 1 1 0; group n2 2; swap; conv down 6 1 2 0 0; group n3 2; "
        "residual; relu; dense fc 4 1"),
    "linear": (3, 4, 2, "conv conv1 6 3 1 1 1; linear l1 9 1; relu; linear l2 5 0; dense fc 4 1"),
    "attention": (3, 3, 2, "conv conv1 18 3 1 1 1; attention 2; linear l1 5 1; dense fc 4 1"),
    # 35 tokens and heads of one channel: panels and tiles that are not full.
    "attention_thin": (5, 7, 2,
        "linear l1 9 1; attention 3; linear l2 9 0; attention 1; global; dense fc 4 1"),
    "tokens": (3, 4, 2,
        "conv conv1 5 3 1 1 1; tokens; relu; linear l1 6 1; attention 1; first; dense fc 4 1"),
    "cosine": (3, 4, 2, "conv conv1 5 3 1 1 1; relu; cosine fc 4 0 1"),
    "cosine_scaled": (1, 1, 7, "dense fc1 9 1; relu; dense proj 6 1; cosine fc 5 1 0"),
    "weight_standardised": (6, 5, 3,
        "ws conv1 6 3 1 1 1; relu; ws conv2 17 3 2 1 0; group n1 1; ws conv3 4 1 1 0 1; "
        "dense fc 4 1"),
}


# ------------------------------------------------------------------------------------ writing


def save(name, tensors, metadata):
    arrays = {
        key: numpy.ascontiguousarray(value.detach().to(torch.float32).numpy())
        for key, value in tensors.items()
    }
    path = os.path.join(OUT, name + ".safetensors")
    save_file(arrays, path, {**metadata, **VERSIONS})
    sort_metadata(path)


def sort_metadata(path):
    """safetensors writes metadata in random order; sorted, a new run gives the same bytes."""
    with open(path, "rb") as file:
        data = file.read()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data[end:])


def vary(module):
    """Norms that do nothing would hide mistakes: random scales and shifts."""
    for part in module.modules():
        if isinstance(part, (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.5, 0.5)


def statistics(module):
    return {k: v.clone() for k, v in module.named_buffers() if not k.endswith("tracked")}


def record(name, module, shape, batch, classes, metadata):
    """Input, weights, logits, loss, gradients; with batch norm also a second step and eval."""
    h, w, c = shape
    vary(module)
    x = torch.randn(batch, c, h, w)
    labels = torch.randint(classes, (batch,))
    tensors = {"input": x, "labels": labels.to(torch.float32)}
    tensors |= {"param." + k: v.clone() for k, v in module.named_parameters()}
    tensors |= {"param." + k: v for k, v in statistics(module).items()}
    module.double().train()
    logits = module(x.double())
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    tensors |= {"logits": logits, "loss": loss.reshape(1)}
    tensors |= {"grad." + k: v.grad for k, v in module.named_parameters()}
    if statistics(module):
        tensors |= {"after1." + k: v for k, v in statistics(module).items()}
        x2 = torch.randn(batch, c, h, w) * 1.5 + 0.25
        tensors |= {"input2": x2, "logits2": module(x2.double())}
        tensors |= {"after2." + k: v for k, v in statistics(module).items()}
        module.eval()
        logits = module(x.double())
        tensors |= {
            "eval.logits": logits,
            "eval.loss": functional.cross_entropy(logits, labels).reshape(1),
        }
    metadata = metadata | {"height": str(h), "width": str(w), "channels": str(c)}
    save(name, tensors, metadata | {"classes": str(classes), "batch": str(batch)})


def layers():
    for index, (name, (h, w, c, text)) in enumerate(LAYERS.items()):
        torch.manual_seed(100 + index)
        record("layer_" + name, Recipe(text, h, w, c), (h, w, c), 3, 4, {"recipe": text})


def models():
    for index, (name, (kind, width, hidden, norm, shape, batch)) in enumerate(MODELS.items()):
        torch.manual_seed(500 + index)
        spec = {"kind": kind, "width": width, "hidden": hidden, "norm": norm}
        if kind == "vit":
            spec |= dict(zip(("patch", "depth", "heads", "mlp_ratio"), TRANSFORMERS[name]))
        module = KINDS[kind](spec, *shape, 10)
        sizes = " ".join(map(str, hidden))
        fields = {"kind": kind, "model_width": str(width), "hidden": sizes, "norm": norm}
        if kind == "sequential":
            fields["layers"] = LISTED
        if kind == "vit":
            fields |= {k: str(spec[k]) for k in ("patch", "depth", "heads", "mlp_ratio")}
            fields["timm"] = check_timm(module, spec, *shape, 10)
        record("model_" + name, module, shape, batch, 10, fields)


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    layers()
    models()
    from golden_training import training  # beside this script

    training(save, OUT)
