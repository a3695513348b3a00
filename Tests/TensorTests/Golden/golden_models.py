"""The models of make_golden.py, with the names of torchvision and timm."""

import torch
from torch import nn
from torch.nn import functional

from golden_vgg import VGG  # beside this script


def over_tokens(function, x):
    """A function of [n, tokens, channels] on an NCHW map, positions row by row."""
    n, _, h, w = x.shape
    return function(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(n, -1, h, w)


def attention(qkv, heads):
    """Self-attention of [n, tokens, 3D]: queries, keys, values, head after head."""
    n, tokens, width = qkv.shape
    q, k, v = qkv.reshape(n, tokens, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-2, -1) / (width // 3 // heads) ** 0.5
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, tokens, width // 3)


def norm_of(kind, channels):
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind.startswith("group"):
        return nn.GroupNorm(int(kind.split(":")[1]), channels)
    return nn.Identity()


class Logistic(nn.Module):
    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        self.fc = nn.Linear(h * w * c, classes)

    def forward(self, x):
        return self.fc(x.flatten(1))


class MLP(nn.Module):
    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        sizes = [h * w * c] + spec["hidden"] + [classes]
        self.depth = len(sizes) - 1
        for i in range(self.depth):
            self.add_module(f"fc{i + 1}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x):
        x = x.flatten(1)
        for i in range(self.depth - 1):
            x = torch.relu(getattr(self, f"fc{i + 1}")(x))
        return getattr(self, f"fc{self.depth}")(x)


class CNN(nn.Module):
    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        width, bias = spec["width"], spec["norm"] == "none"
        self.conv1 = nn.Conv2d(c, width, 3, bias=bias)
        self.bn1 = norm_of(spec["norm"], width)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, bias=bias)
        self.bn2 = norm_of(spec["norm"], 2 * width)
        self.fc1 = nn.Linear(2 * width * ((h - 4) // 2) * ((w - 4) // 2), 4 * width)
        self.fc2 = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        x = functional.max_pool2d(x, 2).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


class LeNet5(nn.Module):
    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        width, bias = spec["width"], spec["norm"] == "none"
        second = 8 * width // 3
        self.conv1 = nn.Conv2d(c, width, 5, padding=2 if (h, w) == (28, 28) else 0, bias=bias)
        self.bn1 = norm_of(spec["norm"], width)
        self.conv2 = nn.Conv2d(width, second, 5, bias=bias)
        self.bn2 = norm_of(spec["norm"], second)
        self.fc1 = nn.Linear(second * 25, 20 * width)
        self.fc2 = nn.Linear(20 * width, 14 * width)
        self.fc3 = nn.Linear(14 * width, classes)

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = functional.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2).flatten(1)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class BasicBlock(nn.Module):
    """torchvision's BasicBlock and its names."""

    def __init__(self, inputs, channels, stride, norm):
        super().__init__()
        bias = norm == "none"
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=bias)
        self.bn1 = norm_of(norm, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=bias)
        self.bn2 = norm_of(norm, channels)
        self.downsample = None
        if stride != 1 or inputs != channels:
            shortcut = nn.Conv2d(inputs, channels, 1, stride, bias=bias)
            self.downsample = nn.Sequential(shortcut, norm_of(norm, channels))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        stages, blocks = {"resnet8": (3, 1), "resnet20": (3, 3), "resnet18": (4, 2)}[spec["kind"]]
        width, norm = spec["width"], spec["norm"]
        self.conv1 = nn.Conv2d(c, width, 3, padding=1, bias=norm == "none")
        self.bn1 = norm_of(norm, width)
        self.layers = []
        inputs = width
        for stage in range(stages):
            channels = width << stage
            row = []
            for block in range(blocks):
                row.append(BasicBlock(inputs, channels, 2 if stage and not block else 1, norm))
                inputs = channels
            self.add_module(f"layer{stage + 1}", nn.Sequential(*row))
        self.stages = stages
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Block(nn.Module):
    """A pre-norm block with timm's names."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.Module()
        self.attn.qkv = nn.Linear(width, 3 * width)
        self.attn.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, hidden)
        self.mlp.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        x = x + self.attn.proj(attention(self.attn.qkv(self.norm1(x)), self.heads))
        return x + self.mlp.fc2(functional.gelu(self.mlp.fc1(self.norm2(x))))


class ViT(nn.Module):
    """timm's VisionTransformer and its names; `check_timm` compares the two."""

    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        width, patch = spec["width"], spec["patch"]
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, h // patch * (w // patch) + 1, width))
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(c, width, patch, patch)
        hidden = int(width * spec["mlp_ratio"])
        rows = [Block(width, spec["heads"], hidden) for _ in range(spec["depth"])]
        self.blocks = nn.Sequential(*rows)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


def check_timm(module, spec, h, w, c, classes):
    """Where timm is installed, its own network must give the same logits from the same file.

    Returns its version, or "absent". Recorded with timm 1.0.31.
    """
    try:
        import timm
        from timm.models.vision_transformer import VisionTransformer
    except ImportError:
        return "absent"
    other = VisionTransformer(
        img_size=(h, w), patch_size=spec["patch"], in_chans=c, num_classes=classes,
        embed_dim=spec["width"], depth=spec["depth"], num_heads=spec["heads"],
        mlp_ratio=spec["mlp_ratio"],
    )  # fmt: skip
    assert list(other.state_dict()) == list(module.state_dict())
    other.load_state_dict(module.state_dict())
    x = torch.randn(2, c, h, w, generator=torch.Generator().manual_seed(1)).double()
    ours, theirs = module.double()(x), other.double()(x)
    assert (ours - theirs).abs().max() < 1e-12, "timm gives other logits"
    module.float()
    return timm.__version__


class Sequential(nn.Module):
    """The layers of LISTED: conv channels kernel stride padding, max|avg kernel stride padding,
    global, dense units."""

    def __init__(self, spec, h, w, c, classes):
        super().__init__()
        x, norm = torch.zeros(2, c, h, w), spec["norm"]
        self.steps, convs, denses = [], 0, 0
        for layer in LISTED.split(";"):
            kind, *sizes = layer.split()
            sizes = list(map(int, sizes))
            if kind == "conv":
                convs += 1
                conv = nn.Conv2d(x.shape[1], *sizes, bias=norm == "none")
                self.add_module(f"conv{convs}", conv)
                self.add_module(f"bn{convs}", norm_of(norm, sizes[0]))
                step = [f"conv{convs}", f"bn{convs}"]
            elif kind == "dense":
                denses += 1
                self.add_module(f"fc{denses}", nn.Linear(x.flatten(1).shape[1], sizes[0]))
                step = [f"fc{denses}"]
            else:
                step = [kind, sizes]
            self.steps.append(step)
            x = self.apply_step(step, x)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        self.last = f"fc{denses + 1}"
        self.add_module(self.last, nn.Linear(x.flatten(1).shape[1], classes))

    def apply_step(self, step, x):
        if step[0] == "max":
            return functional.max_pool2d(x, *step[1])
        if step[0] == "avg":
            return functional.avg_pool2d(x, *step[1])
        if step[0] == "global":
            return x.mean((2, 3), keepdim=True)
        if step[0].startswith("fc"):
            return torch.relu(getattr(self, step[0])(x.flatten(1)))
        return torch.relu(getattr(self, step[1])(getattr(self, step[0])(x)))

    def forward(self, x):
        for step in self.steps:
            x = self.apply_step(step, x)
        return getattr(self, self.last)(x.flatten(1))


LISTED = "conv 6 8 2 2; max 2 1 0; conv 8 4 2 0; max 2 1 0; dense 9"

KINDS = {
    "logistic": Logistic, "mlp": MLP, "cnn": CNN, "lenet5": LeNet5, "resnet8": ResNet,
    "resnet20": ResNet, "resnet18": ResNet,
    "vgg": lambda *sizes: VGG(norm_of, *sizes), "vit": ViT,
    "sequential": Sequential,
}  # fmt: skip

# name: kind, width, hidden, norm, input, batch
MODELS = {
    "logistic": ("logistic", 1, [], "none", (4, 5, 3), 4),
    "mlp": ("mlp", 1, [12, 9], "none", (4, 4, 2), 4),
    "cnn_none": ("cnn", 4, [], "none", (12, 11, 3), 3),
    "cnn_group": ("cnn", 4, [], "group:2", (12, 12, 3), 3),
    "cnn_batch": ("cnn", 4, [], "batch", (10, 12, 1), 3),
    "lenet5_28": ("lenet5", 3, [], "none", (28, 28, 1), 2),
    "lenet5_28_batch": ("lenet5", 3, [], "batch", (28, 28, 1), 2),
    "lenet5_32_group": ("lenet5", 3, [], "group:1", (32, 32, 3), 2),
    "resnet8_none": ("resnet8", 4, [], "none", (16, 16, 3), 3),
    "resnet8_group": ("resnet8", 8, [], "group:4", (16, 16, 3), 2),
    "resnet8_batch": ("resnet8", 4, [], "batch", (15, 17, 3), 3),
    "resnet20_none": ("resnet20", 4, [], "none", (12, 12, 3), 2),
    "resnet20_group": ("resnet20", 4, [], "group:2", (12, 12, 3), 2),
    "resnet20_batch": ("resnet20", 4, [], "batch", (12, 12, 3), 4),
    "resnet18_none": ("resnet18", 2, [], "none", (16, 16, 3), 2),
    "resnet18_group": ("resnet18", 4, [], "group:2", (16, 16, 3), 2),
    "resnet18_batch": ("resnet18", 4, [], "batch", (16, 16, 3), 4),
    "vit": ("vit", 24, [], "none", (16, 16, 3), 2),
    "vit_wide": ("vit", 36, [], "none", (8, 12, 1), 3),
    "vgg_none": ("vgg", 2, [], "none", (17, 16, 3), 3),
    "vgg_group": ("vgg", 4, [], "group:2", (16, 16, 3), 2),
    "sequential": ("sequential", 1, [], "group:2", (17, 16, 1), 3),
}

# patch, depth, heads, mlp_ratio
TRANSFORMERS = {"vit": (4, 2, 3, 4.0), "vit_wide": (2, 1, 2, 1.5)}
