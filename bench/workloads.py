"""The workloads: sizes, samples, weights, cohorts, FLOP counts, timing and the printed line.

Everything that programs must share to do the same work; only numpy is needed. Images lie as
[height][width][channels], convolution weights as [out][in][kh][kw], dense weights as [out][in]; a
feature map is flattened in the order channels, height, width.
"""
import argparse
import json
import os
import time
from dataclasses import dataclass, replace

import numpy as np

STARTED = time.perf_counter()
CLASSES, RATE = 10, 0.1


@dataclass(frozen=True)
class Workload:
    name: str
    model: str
    clients: int
    samples: int
    cohort: int
    batch: int
    shape: tuple
    dropout: bool = False

    @property
    def flop_per_round(self):
        return self.cohort * self.samples * training_flop(self.model)


IMAGE, VECTOR = (32, 32, 3), (784,)
ALL = {w.name: w for w in (
    Workload("w1", "cnn", 1000, 50, 50, 10, IMAGE, dropout=True),
    Workload("w2", "resnet8", 10, 500, 10, 32, IMAGE),
    Workload("w2r20", "resnet20", 10, 500, 10, 32, IMAGE),
    Workload("w2r18", "resnet18", 4, 64, 4, 32, IMAGE),
    Workload("w3", "mlp", 10_000, 20, 1000, 10, VECTOR),
    Workload("w3lr", "logistic", 10_000, 20, 1000, 10, VECTOR),
)}
# width of the first stage, stages, basic blocks per stage
RESNETS = {"resnet8": (16, 3, 1), "resnet20": (16, 3, 3), "resnet18": (64, 4, 2)}
GROUPS, EPSILON = 8, 1e-5


def layers(model):
    """Layers with weights in call order: (kind, weight's shape, output positions, has norm)."""
    if model == "cnn":
        return [("conv", (32, 3, 3, 3), 30 * 30, False), ("conv", (64, 32, 3, 3), 28 * 28, False),
                ("dense", (128, 64 * 14 * 14), 1, False), ("dense", (CLASSES, 128), 1, False)]
    if model == "mlp":
        return [("dense", (128, 784), 1, False), ("dense", (CLASSES, 128), 1, False)]
    if model == "logistic":
        return [("dense", (CLASSES, 784), 1, False)]
    width, stages, blocks = RESNETS[model]
    side, inputs = 32, width
    found = [("conv", (width, 3, 3, 3), side * side, True)]
    for stage in range(stages):
        outputs = width << stage
        for block in range(blocks):
            if stage > 0 and block == 0:
                side //= 2
            found.append(("conv", (outputs, inputs, 3, 3), side * side, True))
            found.append(("conv", (outputs, outputs, 3, 3), side * side, True))
            if inputs != outputs:
                found.append(("conv", (outputs, inputs, 1, 1), side * side, True))
            inputs = outputs
    return found + [("dense", (CLASSES, inputs), 1, False)]


def training_flop(model):
    """Of one sample: forward, weight gradient, and input gradient but for the first layer; a
    multiply and an add count as two, everything but products as nothing."""
    flop = [2 * int(np.prod(shape)) * positions for _, shape, positions, _ in layers(model)]
    return 3 * sum(flop) - flop[0]


def tensors(model):
    """(name, shape) of every parameter in call order."""
    found = []
    for place, (kind, shape, _, has_norm) in enumerate(layers(model)):
        found.append((f"{kind}{place}.w", shape))
        if has_norm:
            found += [(f"gn{place}.w", shape[:1]), (f"gn{place}.b", shape[:1])]
        else:
            found.append((f"{kind}{place}.b", shape[:1]))
    return found


def weights(model):
    """Glorot-uniform weights, biases and shifts 0, norm scales 1: arrays in call order."""
    stream, found = np.random.default_rng(1), []
    for name, shape in tensors(model):
        if len(shape) == 1:
            is_scale = name.startswith("gn") and name.endswith(".w")
            found.append(np.full(shape, 1 if is_scale else 0, np.float32))
        else:
            area = int(np.prod(shape[2:]))
            bound = np.sqrt(6.0 / (area * (shape[0] + shape[1])))
            found.append(stream.uniform(-bound, bound, shape).astype(np.float32))
    return found


def samples(work):
    """x [clients, samples, ...] standard normal float32, y [clients, samples] from 0 to 9."""
    stream = np.random.default_rng(0)
    x = stream.standard_normal((work.clients, work.samples) + work.shape, dtype=np.float32)
    return x, stream.integers(0, CLASSES, (work.clients, work.samples))


def cohort(work, round_):
    """The clients of a round, counted from 0."""
    return np.random.default_rng(1000 + round_).choice(work.clients, work.cohort, replace=False)


# Command line

def parser(description):
    words = argparse.ArgumentParser(description=description)
    words.add_argument("--workload", default="w1", choices=list(ALL))
    words.add_argument("--rounds", type=int, default=5, help="timed rounds")
    words.add_argument("--warmup", type=int, default=1, help="rounds before them")
    words.add_argument("--dropout", type=int, choices=(0, 1), help="without or with dropout")
    words.add_argument("--clients", type=int)
    words.add_argument("--cohort", type=int)
    words.add_argument("--samples", type=int)
    return words


def chosen(options):
    """The workload with the sizes that the options ask for."""
    work = ALL[options.workload]
    for name in ("clients", "cohort", "samples", "dropout"):
        value = getattr(options, name)
        if value is not None:
            work = replace(work, **{name: type(getattr(work, name))(value)})
    return replace(work, cohort=min(work.cohort, work.clients))


# Timing

def busy():
    """CPU seconds that the whole machine has used."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / os.sysconf("SC_CLK_TCK")


def _cpu(pids):
    """CPU seconds that some live processes have used."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


class Watch:
    """Times rounds, and notes what these processes and all others used meanwhile."""

    def __init__(self, pids=()):
        self.pids = [os.getpid(), *pids]
        self.seconds, self.own, self.noise = [], [], []
        self.begin()

    def begin(self):
        self._busy, self._own = busy(), _cpu(self.pids)
        self._start = time.perf_counter()

    def end(self):
        seconds = time.perf_counter() - self._start
        used, own = busy() - self._busy, _cpu(self.pids) - self._own
        self.seconds.append(seconds)
        self.own.append(own / seconds)
        self.noise.append(max(0.0, used - own) / seconds)
        self.begin()

    def run(self, count, round_):
        for number in range(count):
            self.begin()
            round_(number)
            self.end()


def resident_mb(pids):
    """Memory of some processes in units of 2^20 bytes, shared pages shared out."""
    total = 0.0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    return total


def report(options, work, watch, peer, variant, update, versions, resident=None):
    """Prints one line of JSON, with the fields of `fedsim bench --format json`."""
    seconds = np.array(watch.seconds[options.warmup:])
    median = float(np.median(seconds))
    if "MALLOC_MMAP_MAX_" in os.environ:
        variant += ",tuned_malloc"
    print(json.dumps(dict(
        peer=peer, variant=variant, workload=work.name, rounds=len(seconds),
        sec_per_round=round(median, 5), sec_min=round(float(seconds.min()), 5),
        sec_max=round(float(seconds.max()), 5),
        samples_per_s=round(work.cohort * work.samples / median, 1),
        gflop_per_round=round(work.flop_per_round / 1e9, 4),
        gflop_s=round(work.flop_per_round / median / 1e9, 2),
        us_per_client=round(median / work.cohort * 1e6, 1),
        cpus_used=round(float(np.median(watch.own[options.warmup:])), 2),
        noise=round(float(np.median(watch.noise[options.warmup:])), 3),
        first_round_s=round(watch.seconds[0], 4),
        since_start_s=round(time.perf_counter() - STARTED, 3),
        peak_rss_mb=round(resident_mb(watch.pids) if resident is None else resident, 1),
        update_l2_round0=round(update, 6), versions=versions,
        round_s=[round(float(value), 4) for value in seconds],
        round_noise=[round(value, 2) for value in watch.noise[options.warmup:]])), flush=True)
