#!/usr/bin/env python3
"""Reads the weights that fedsim writes as other programs do, and checks what they predict.

Makes small data sets of .npy files, and for every model runs two rounds of fedavg and fedper.
Then, without fedsim:

  safetensors' own reader opens every file below final/ and every checkpoint;
  the PyTorch networks of Tests/TensorTests/Golden/golden_models.py take final/generic and every
  final/personal by load_state_dict(strict=True); where timm is installed, its own vision
  transformer does, too;
  the accuracy of these networks on the test images must be generic.accuracy of the last round,
  and the accuracy of each client's network, classes weighted by the client's mix, its entry in
  clients.csv;
  the model in a checkpoint has the values of final/generic (in the engine's order).

Usage:
  python check_models.py PROGRAM [FOLDER]        FOLDER: for data and runs; new and empty

Exit 1, with what differs, unless all is as it should be. Versions: README.md beside this script.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "TensorTests" / "Golden"
sys.path.insert(0, str(GOLDEN))
from golden_models import KINDS, check_timm  # noqa: E402

CLASSES = 4
# Side of the images; the LeNet-5 there reads those of 28 and 32 pixels.
SIDES = {"lenet5": 32}
# One image whose two best logits lie within rounding of each other may fall to either side.
TIES = 1

MODELS = {
    "logistic": {"kind": "logistic"},
    "mlp": {"kind": "mlp", "hidden": [12, 9]},
    "cnn": {"kind": "cnn", "width": 4, "dropout": []},
    "cnn-batch": {"kind": "cnn", "width": 4, "norm": "batch", "dropout": []},
    "lenet5": {"kind": "lenet5"},
    "resnet8": {"kind": "resnet8", "width": 8},
    "resnet8-batch": {"kind": "resnet8", "width": 8, "norm": "batch"},
    "resnet20": {"kind": "resnet20", "width": 8},
    "resnet18": {"kind": "resnet18", "width": 8, "norm": {"kind": "group", "groups": 4}},
    "vgg": {"kind": "vgg", "width": 4},
    "vit": {"kind": "vit", "width": 24, "depth": 2, "heads": 3},
}


def side_of(model):
    return SIDES.get(model["kind"], 16)


def make_data(folder, side):
    """Images of four blurred patterns under noise, hard enough for accuracies below 1."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(7)
    patterns = draw.normal(size=(CLASSES, side // 4, side // 4, 3)).repeat(4, 1).repeat(4, 2)
    for name, count in (("train", 240), ("test", 200)):
        labels = np.arange(count) % CLASSES
        images = 128 + 24 * patterns[labels] + 60 * draw.normal(size=(count, side, side, 3))
        np.save(folder / f"x_{name}.npy", images.clip(0, 255).astype(np.uint8))
        np.save(folder / f"y_{name}.npy", labels.astype(np.int64))


def scenario(name, model, data):
    return {
        "fedsim": 1, "name": name, "seeds": [1],
        "data": {"dataset": {"kind": "npy", "path": str(data)},
                 "longTail": {"profile": "exponential", "factor": 4},
                 "partition": {"kind": "dirichlet", "alpha": 0.5}, "augment": []},
        "federation": {"clients": 4, "rounds": 2},
        "model": model,
        "client": {"batch": 8, "optimizer": {"kind": "sgd", "learningRate": 0.02}},
        "strategies": [{"kind": "fedavg"}, {"kind": "fedper"}],
    }  # fmt: skip


def network(model):
    """The PyTorch module of a resolved `model`."""
    norm = model.get("norm", {"kind": "none"})
    kind = norm["kind"]
    spec = {
        "kind": model["kind"], "width": model.get("width", 1), "hidden": model.get("hidden", []),
        "norm": f"group:{norm['groups']}" if kind == "group" else kind,
        "patch": model.get("patch"), "depth": model.get("depth"), "heads": model.get("heads"),
        "mlp_ratio": model.get("mlpRatio"),
    }  # fmt: skip
    side = side_of(model)
    return KINDS[model["kind"]](spec, side, side, 3, CLASSES), spec


def tracked(state, module):
    """PyTorch counts batches in batch norms; a count says nothing about predictions."""
    counters = {k: v for k, v in module.state_dict().items() if k.endswith("num_batches_tracked")}
    return {**counters, **state}


def right(module, state, images, labels):
    """Which images a network with this state classifies correctly."""
    module.load_state_dict(tracked(state, module), strict=True)
    module.eval()
    with torch.no_grad():
        return (module(images).argmax(1).numpy() == labels)


def check(name, folder, data):
    wrong = []
    resolved = json.loads((folder / "scenario.resolved.json").read_text())
    norm = json.loads((folder / "split/normalization.json").read_text())
    clients = json.loads((folder / "split/partition.json").read_text())["clients"]
    train, labels = np.load(data / "y_train.npy"), np.load(data / "y_test.npy")
    mean, std = (np.array(norm[key], np.float32) for key in ("mean", "std"))
    images = (np.load(data / "x_test.npy").astype(np.float32) / 255 - mean) / std
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    module, spec = network(resolved["model"])
    shapes = {k: tuple(v.shape) for k, v in module.state_dict().items()
              if not k.endswith("num_batches_tracked")}
    files = 0

    def opened(path):
        nonlocal files
        files += 1
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("format") is None:
                wrong.append(f"{path}: no format in the metadata")
            return {key: file.get_tensor(key) for key in file.keys()}

    for run in sorted(folder.glob("*-s1")):
        checkpoint = opened(run / "checkpoints/last.safetensors")
        generic = run / "final/generic.safetensors"
        if generic.exists():
            state = opened(generic)
            if {k: tuple(v.shape) for k, v in state.items()} != shapes:
                wrong.append(f"{generic}: other names or shapes than PyTorch's")
            if any(not torch.equal(v, state[k]) for k, v in load_file(generic).items()):
                wrong.append(f"{generic}: two readers see two files")
            hits = right(module, state, images, labels)
            record = json.loads((run / "rounds.jsonl").read_text().splitlines()[-1])
            accuracy = record["generic"]["accuracy"]
            if abs(hits.mean() - accuracy) * len(labels) > TIES + 1e-6:
                wrong.append(f"{generic}: accuracy {hits.mean()}, not {accuracy}")
            values = torch.cat([v.ravel() for v in state.values()]).sort().values
            if not torch.equal(values, checkpoint["server/model"].sort().values):
                wrong.append(f"{run}: the checkpoint has another model")
            if spec["kind"] == "vit":
                check_timm(module, spec, *images.shape[2:], 3, CLASSES)  # asserts equal logits
        with open(run / "clients.csv", newline="") as file:
            scores = {(int(row["round"]), int(row["client"])): float(row["accuracy"])
                      for row in csv.DictReader(file)}
        for path in sorted((run / "final/personal").glob("*.safetensors")):
            client = int(path.stem)
            hits = right(module, opened(path), images, labels)
            shares = np.bincount(train[clients[client]], minlength=CLASSES) / len(clients[client])
            recall = np.array([hits[labels == c].mean() for c in range(CLASSES)])
            accuracy = scores[2, client]
            # An image of a class weighs share / (test images of the class).
            tie = TIES * shares.max() / (labels == 0).sum()
            if abs((shares * recall).sum() - accuracy) > tie + 1e-6:
                wrong.append(f"{path}: accuracy {(shares * recall).sum()}, not {accuracy}")
    if files < 7:
        wrong.append(f"{folder}: only {files} files were found")
    return wrong, files


def main(program, folder):
    wrong, files = [], 0
    for name, model in MODELS.items():
        data = folder / f"data-{side_of(model)}"
        if not data.exists():
            make_data(data, side_of(model))
        file = folder / f"{name}.json"
        file.write_text(json.dumps(scenario(name, model, data)))
        out = folder / "runs" / name
        command = [program, "run", str(file), "--out", str(out), "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            wrong.append(f"{name}: fedsim ends with {done.returncode}: {done.stderr[-400:]}")
            continue
        differences, seen = check(name, out, data)
        wrong += differences
        files += seen
    for line in wrong:
        print(line)
    print(f"{len(MODELS)} models, {files} files, {len(wrong)} differences")
    return not wrong


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        sys.exit(0 if main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve()) else 1)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(0 if main(sys.argv[1], pathlib.Path(scratch)) else 1)
