#!/usr/bin/env python3
"""Recomputes a federated run from its folder, independently of fedsim, in double precision.

Reads what any other framework could read: initial weights (safetensors), who holds which image
(split/partition.json), how pixels are normalised (split/normalization.json), the IDX files, the
resolved scenario, and the cohorts in rounds.jsonl. Trains every client by plain NumPy and
aggregates by the equations of the papers:

  fedavg    McMahan et al. 2017, arXiv:1602.05629, algorithm 1
  fedprox   Li et al. 2020, arXiv:1812.06127, algorithm 2 (SGD as the local solver)
  scaffold  Karimireddy et al. 2020, arXiv:1910.06378, algorithm 1, option II
  fedavgm   Hsu et al. 2019, arXiv:1909.06335

and prints, per strategy, |ours - theirs| / |theirs - w0| over all parameters, and beside it the
same ratio between this program's own result and its result from initial weights shaken by one
rounding to single precision: what the problem itself makes of rounding.

A ReLU's gradient jumps where its input passes zero. With about ten million examples x neurons x
steps some input lies within rounding of zero, and either side is right; one such flip moves the
update by 1e-4 and more. So when a result is beyond the limit, replays from further shaken weights
follow, and the nearest counts: its number is printed. With tanh, or with a few thousand images
(data.longTail with factor 1 and maxPerClass), no flip is needed. A learning rate at which shaken
weights drift apart by themselves (tanh shows it) tests nothing.

Exit 1 when a strategy stays beyond the limit.

Usage:
  fedsim run scenario.json --set federation.rounds=0 --out START
  fedsim run scenario.json --out RUN
  python3 replay.py RUN START [limit, 1e-4 unless given]

The scenario needs a data set of kind mnist, model mlp (relu or tanh) or logistic, client.order
"sequential", optimizer sgd, constant schedule, work in epochs or steps.

Versions this was written with: Python 3.11 or later, NumPy 1.26 or later; nothing else.
"""
import gzip
import json
import struct
import sys
from pathlib import Path

import numpy as np


def safetensors(path):
    """Tensors by name, as float64, in file order."""
    raw = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", entry
        begin, end = entry["data_offsets"]
        values = np.frombuffer(raw[8 + size + begin:8 + size + end], dtype="<f4")
        tensors[name] = values.reshape(entry["shape"]).astype(np.float64)
    return tensors


def idx(folder, name):
    """An IDX file of bytes, plain or .gz."""
    path = Path(folder) / name
    raw = path.read_bytes() if path.exists() else gzip.open(str(path) + ".gz").read()
    zero, kind, dimensions = struct.unpack(">HBB", raw[:4])
    assert zero == 0 and kind == 8, path
    shape = struct.unpack(">" + "I" * dimensions, raw[4:4 + 4 * dimensions])
    return np.frombuffer(raw[4 + 4 * dimensions:], dtype=np.uint8).reshape(shape)


class Problem:
    """Images, labels, who holds them, and what a client does."""

    def __init__(self, run):
        self.scenario = json.loads((run / "scenario.resolved.json").read_text())
        data, client = self.scenario["data"], self.scenario["client"]
        assert client["order"] == "sequential" and client["optimizer"]["kind"] == "sgd"
        assert client["schedule"]["kind"] == "constant" and data["augment"] == []
        source = data["dataset"]
        images = idx(source["path"], source["prefix"] + "train-images-idx3-ubyte")
        self.labels = idx(source["path"], source["prefix"] + "train-labels-idx1-ubyte")
        scale = json.loads((run / "split" / "normalization.json").read_text())
        mean, deviation = scale["mean"][0], scale["std"][0]
        flat = images.reshape(len(images), -1).astype(np.float64)
        self.images = (flat / 255 - mean) / deviation
        partition = json.loads((run / "split" / "partition.json").read_text())
        self.clients = [np.array(list_, dtype=int) for list_ in partition["clients"]]
        optimizer = client["optimizer"]
        self.rate, self.rho = optimizer["learningRate"], optimizer["momentum"]
        self.nesterov, self.decay = optimizer["nesterov"], optimizer["weightDecay"]
        self.batch, self.work = client["batch"], client["work"]
        activation = self.scenario["model"].get("activation", {"kind": "relu"})
        self.activation = activation if isinstance(activation, dict) else {"kind": activation}
        assert self.activation["kind"] in ("relu", "tanh"), activation
        self.by_samples = self.scenario["federation"]["weighting"] == "samples"

    def steps(self, k):
        if self.work.get("steps") is not None:
            return self.work["steps"]
        per_epoch = -(-len(self.clients[k]) // self.batch)
        return max(1, int(np.floor(self.work["epochs"] * per_epoch + 0.5)))

    def gradient(self, w, rows):
        """Gradient of the mean cross-entropy of a network of dense layers."""
        layers = len(w) // 2
        inputs, x = [], self.images[rows]
        for i in range(layers):
            inputs.append(x)
            x = x @ w[2 * i].T + w[2 * i + 1]
            if i + 1 < layers:
                x = np.maximum(x, 0) if self.activation["kind"] == "relu" else np.tanh(x)
        z = x - x.max(axis=1, keepdims=True)
        d = np.exp(z)
        d /= d.sum(axis=1, keepdims=True)
        d[np.arange(len(rows)), self.labels[rows]] -= 1
        d /= len(rows)
        g = [None] * len(w)
        for i in reversed(range(layers)):
            g[2 * i], g[2 * i + 1] = d.T @ inputs[i], d.sum(axis=0)
            if i > 0:
                y = inputs[i]
                d = (d @ w[2 * i]) * (y > 0 if self.activation["kind"] == "relu" else 1 - y * y)
        return g

    def train(self, start, k, correct=None):
        """A client's round: torch.optim.SGD over its examples in the partition's order."""
        w = [t.copy() for t in start]
        v = [np.zeros_like(t) for t in start]
        own, position = self.clients[k], 0
        for _ in range(self.steps(k)):
            if position >= len(own):
                position = 0
            rows = own[position:position + self.batch]
            position += self.batch
            g = self.gradient(w, rows)
            if correct is not None:
                g = correct(g, w)
            for i in range(len(w)):
                g[i] = g[i] + self.decay * w[i]
                v[i] = self.rho * v[i] + g[i]
                w[i] -= self.rate * (g[i] + self.rho * v[i] if self.nesterov else v[i])
        return w

    def displacement(self, tau):
        """How far tau steps with gradient 1 and rate 1 move a weight: tau without momentum."""
        velocity = moved = 0.0
        for _ in range(tau):
            velocity = self.rho * velocity + 1
            moved += 1 + self.rho * velocity if self.nesterov else velocity
        return moved


def replay(problem, strategy, start, cohorts):
    """The server's model after all rounds."""
    kind = strategy["kind"]
    w = [t.copy() for t in start]
    zeros = [np.zeros_like(t) for t in start]
    server, controls = zeros, {}
    for cohort in cohorts:
        cohort = [k for k in cohort if len(problem.clients[k]) > 0]
        sizes = [len(problem.clients[k]) if problem.by_samples else 1 for k in cohort]
        p = np.array(sizes, dtype=float) / sum(sizes)
        if kind == "scaffold":
            p = np.full(len(cohort), 1 / len(cohort))
        delta, change = zeros, zeros
        for k, share in zip(cohort, p):
            if kind == "fedprox":
                mu, anchor = strategy["proximalWeight"], w
                own = problem.train(w, k, lambda g, at: [
                    gi + mu * (a - b) for gi, a, b in zip(g, at, anchor)])
            elif kind == "scaffold":
                c, mine = server, controls.get(k, zeros)
                own = problem.train(w, k, lambda g, at: [
                    gi - b + a for gi, a, b in zip(g, c, mine)])
                divisor = problem.displacement(problem.steps(k)) * problem.rate
                new = [b - a + (x - y) / divisor for a, b, x, y in zip(c, mine, w, own)]
                controls[k] = new
                change = [s + (n - b) for s, n, b in zip(change, new, mine)]
            else:
                own = problem.train(w, k)
            delta = [s + share * (y - x) for s, x, y in zip(delta, w, own)]
        if kind == "fedavgm":
            server = [strategy["serverMomentum"] * u + d for u, d in zip(server, delta)]
            w = [x + strategy["serverLearningRate"] * u for x, u in zip(w, server)]
        elif kind == "scaffold":
            w = [x + strategy["serverLearningRate"] * d for x, d in zip(w, delta)]
            server = [c + d / len(problem.clients) for c, d in zip(server, change)]
        else:
            assert kind in ("fedavg", "fedprox"), kind
            w = [x + d for x, d in zip(w, delta)]
    return w


def distance(a, b):
    """The 2-norm of a difference of two models."""
    return np.sqrt(sum(((x - y) ** 2).sum() for x, y in zip(a, b)))


def shake(tensors, number):
    """Weights changed by one rounding to single precision, up or down; later ones by more."""
    draw = np.random.default_rng(number)
    size = 2.0 ** (number // 2 - 24)
    return [t * (1 + size * draw.choice([-1, 1], t.shape)) for t in tensors]


def main():
    run, begin = Path(sys.argv[1]), Path(sys.argv[2])
    limit = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-4
    problem = Problem(run)
    worst = 0.0
    for strategy in problem.scenario["strategies"]:
        for seed in problem.scenario["seeds"][:1]:
            name = f"{strategy['label']}-s{seed}"
            first = safetensors(begin / name / "final" / "generic.safetensors")
            names = list(first)
            lines = (run / name / "rounds.jsonl").read_text().splitlines()
            cohorts = [json.loads(line)["sampled"] for line in lines]
            ours = safetensors(run / name / "final" / "generic.safetensors")
            ours, start = [ours[n] for n in names], [first[n] for n in names]
            theirs = replay(problem, strategy, start, cohorts)
            moved = distance(theirs, start)
            errors, shaken = [distance(ours, theirs) / moved], []
            while not shaken or (min(errors) > limit and len(shaken) < 8):
                other = replay(problem, strategy, shake(start, len(shaken)), cohorts)
                shaken.append(distance(other, theirs) / moved)
                errors.append(distance(ours, other) / moved)
            if errors[0] <= limit:
                text = f"relative {errors[0]:.2e}"
            else:
                nearest = errors.index(min(errors))
                text = f"relative {errors[0]:.2e}, {min(errors):.2e} from shaken replay {nearest}"
            worst = max(worst, min(errors))
            print(f"{name:16} rounds {len(cohorts)}  |update| {moved:.4f}  {text}"
                  f"  (shaken: {shaken[0]:.1e})", flush=True)
    sys.exit(0 if worst <= limit else 1)


if __name__ == "__main__":
    main()
