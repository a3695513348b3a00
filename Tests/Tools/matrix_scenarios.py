"""The rows of the behaviour matrix that train: small scenarios, each crossed with few others."""

import copy

# Three rounds of six clients on 8x8 images of four classes; the files are made by matrix_data.py.
BASE = {
    "fedsim": 1, "name": "m", "seeds": [1],
    "data": {
        "dataset": {"kind": "npy", "path": "data"},
        "longTail": {"profile": "exponential", "factor": 4},
        "partition": {"kind": "dirichlet", "alpha": 0.5, "minPerClient": 2},
        "test": {"perClass": 10},
    },
    "federation": {"clients": 6, "rounds": 3, "participation": 0.5},
    "model": {"kind": "mlp", "hidden": [12]},
    "client": {"batch": 8, "optimizer": {
        "kind": "sgd", "learningRate": 0.05, "momentum": 0.5, "weightDecay": 1e-4}},
    "strategies": [{"kind": "fedavg"}],
    "evaluation": {"every": 2},
    "output": {"checkpointEvery": 2},
}

# Work of servers and clients cut down to what a test of equality needs.
LESS_WORK = {
    "ccvr": {"samplesPerClass": 8, "headEpochs": 2},
    "creff": {"featuresPerClass": 4, "featureSteps": 3, "headEpochs": 3, "draws": 2},
    "fedloge": {"constructionSteps": 40},
    "fedmd": {"publicEpochs": 1, "privateEpochs": 1, "publicBatch": 8},
    "feddf": {"steps": 20, "patience": 10, "checkEvery": 5, "distillationBatch": 8},
    "fedd2s": {"headEpochs": 2, "headBatch": 16},
    "fedgen": {"noise": 4, "hidden": 8, "generatorSteps": 4, "generatorBatch": 16},
    "fedetf": {"alternations": 2, "frameEpochs": 1, "projectionEpochs": 1},
    "fedins": {"poolSize": 4, "matched": 2},
    "knfu": {"tuningBatch": 8},
    "fedrep": {"headEpochs": 2}, "fedbabu": {"epochs": 2},
    "fedbuff": {"buffer": 2}, "pfedme": {"innerSteps": 2},
}

# Strategies that exchange predictions on public images.
NEED_PUBLIC = ["knfu", "fedmd", "feddf"]
# Strategies that refuse client momentum, or mean plain steps.
PLAIN_STEPS = ["scaffold", "feddyn"]

STRATEGIES = """fedavg fedprox scaffold fedper fedavgm fedavg-ft local-only centralised fedadam
fedyogi fedadagrad fednova feddyn moon ccvr creff fedloge fedrod knfu fedmd feddf fedd2s
feddistill fedproto fedgen fedetf fedins fedssf linear-probe fedrep fedbabu fedbn lg-fedavg ditto
pfedme per-fedavg apfl fedasync fedbuff""".split()

CNN = {"kind": "cnn", "width": 2, "dropout": [0.1, 0.1]}
BATCH_NORM = {"kind": "cnn", "width": 4, "dropout": [], "norm": "batch"}
GROUP_NORM = {"kind": "resnet8", "width": 4, "norm": {"kind": "group", "groups": 2}}
VIT = {"kind": "vit", "patch": 4, "width": 8, "depth": 2, "heads": 2, "mlpRatio": 2}

EXAMPLE = {"unit": "example", "clip": 1, "noiseMultiplier": 1, "delta": 0.01}
CLIENT = {"unit": "client", "clip": 1, "noiseMultiplier": 0.2, "delta": 0.01}

PRIVACY = {
    "dp": EXAMPLE,
    "dice": EXAMPLE | {"mechanism": "dice-sgd"},
    "client": CLIENT,
    "client-local": CLIENT | {"placement": "local"},
    "client-distributed": CLIENT | {"placement": "distributed", "noise": "discrete"},
    "client-adaptive": CLIENT | {"clipping": "adaptive"},
    "client-ef": CLIENT | {"mechanism": "error-feedback"},
    "client-dice": CLIENT | {"mechanism": "dice-sgd"},
}

# Of these a plain strategy has all, and others one each in turn.
MORE_PRIVACY = {
    "dp-layer-target": {"unit": "example", "clipping": "per-layer",
                        "target": {"epsilon": 8, "delta": 0.01}},
    "dp-automatic": EXAMPLE | {"clipping": "automatic"},
    "dp-common-target": {"unit": "example", "target": {
        "epsilon": 4, "delta": 0.01, "per": "common"}},
    "dp-budget": EXAMPLE | {"noiseMultiplier": 0.8, "target": {"epsilon": 9, "delta": 0.01}},
    "dp-no-clip": EXAMPLE | {"clip": 1e30, "noiseMultiplier": 0},
    "dp-copies": EXAMPLE | {"augmentationMultiplicity": 3},
    "dice-cap": EXAMPLE | {"mechanism": "dice-sgd", "errorCap": 2, "errorDecay": 0.5,
                           "accounting": "strict"},
    "dice-copies": EXAMPLE | {"mechanism": "dice-sgd", "augmentationMultiplicity": 2},
    "client-discrete": CLIENT | {"noise": "discrete"},
    "client-local-discrete": CLIENT | {"noise": "discrete", "placement": "local"},
    "client-distributed-floats": CLIENT | {"placement": "distributed"},
    "client-target": {"unit": "client", "target": {"epsilon": 8, "delta": 0.01}},
    "client-population": CLIENT | {"assumedPopulation": 10000},
    "client-adaptive-local": CLIENT | {"clipping": "adaptive", "placement": "local"},
    "client-dice-cap": CLIENT | {"mechanism": "dice-sgd", "errorCap": 3},
    "client-no-clip": CLIENT | {"clip": 1e30, "noiseMultiplier": 0},
}


def scenario(changes=(), strategy=None):
    """BASE with values at dotted paths, and one strategy."""
    made = copy.deepcopy(BASE)
    if strategy is not None:
        kind = strategy if isinstance(strategy, str) else strategy["kind"]
        made["strategies"] = [{"kind": kind} | LESS_WORK.get(kind, {})
                              | ({} if isinstance(strategy, str) else strategy)]
        if kind in NEED_PUBLIC:
            made["data"]["public"] = {"size": 16}
        if kind in PLAIN_STEPS:
            made["client"]["optimizer"]["momentum"] = 0
    for path, value in dict(changes).items():
        *above, last = path.split(".")
        place = made
        for word in above:
            place = place.setdefault(word, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def row(name, changes=(), strategy=None, threads=2, then=(), files=()):
    """A run, what follows on its folder, and the files beside the scenario."""
    return {
        "name": name,
        "files": {"s.json": scenario(changes, strategy)} | dict(files),
        "steps": [["run", "s.json", "--out", "out", "--threads", str(threads)], *then],
    }


def by_strategy():
    """Every strategy, with everything that it may be asked to bear."""
    for kind in STRATEGIES:
        yield row(f"{kind}/plain", strategy=kind)
        for word, privacy in PRIVACY.items():
            changes = {"privacy": privacy, "federation.sampling": "poisson"}
            yield row(f"{kind}/{word}", changes, kind)
        yield row(f"{kind}/batch-norm", {"model": BATCH_NORM}, kind)
        yield row(f"{kind}/coded", {"compression": {
            "uplink": {"kind": "topk", "ratio": 0.1}, "downlink": {"kind": "quantize"}}}, kind)
        yield row(f"{kind}/clock", {"system": CLOCK, "evaluation.every": 1}, kind)
        yield row(f"{kind}/odd-cohorts", {
            "federation.participation": 0.2, "federation.sampling": "poisson",
            "data.partition.minPerClient": 0, "data.partition.alpha": 0.05,
            "federation.weighting": "uniform"}, kind, threads=1)


CLOCK = {
    "compute": {"kind": "lognormal", "speed": "1 MFLOP/s", "sigma": 1}, "dropout": 0.1,
    "network": {"up": "1 Mbit/s", "down": "5 Mbit/s", "sigma": 0.5},
}


def by_privacy():
    for number, (word, privacy) in enumerate(MORE_PRIVACY.items()):
        for kind in ["fedavg", ["scaffold", "fedbuff", "fedasync", "fedper"][number % 4]]:
            yield row(f"privacy/{kind}/{word}", {
                "privacy": privacy, "federation.sampling": "poisson"}, kind)
    for word in ("dp", "dice", "client", "client-dice"):
        privacy = PRIVACY[word]
        yield row(f"privacy/uniform/{word}", {"privacy": privacy})
        yield row(f"privacy/coded/{word}", {
            "privacy": privacy, "federation.sampling": "poisson",
            "compression": {"uplink": {"kind": "qsgd"}}})
        yield row(f"privacy/adam-cnn/{word}", {
            "privacy": privacy, "federation.sampling": "poisson", "model": CNN | {"dropout": []},
            "client.optimizer": {"kind": "adam", "learningRate": 0.01}})
        yield row(f"privacy/group-norm/{word}", {
            "privacy": privacy, "federation.sampling": "poisson", "model": GROUP_NORM})
        yield row(f"privacy/vit/{word}", {
            "privacy": privacy, "federation.sampling": "poisson", "model": VIT})


UP = {
    "dense16": {"kind": "dense", "format": "float16"},
    "bfloat16": {"kind": "dense", "format": "bfloat16"},
    "topk-packed": {"kind": "topk", "ratio": 0.05, "indices": "packed", "values": "int8"},
    "topk-bitmap": {"kind": "topk", "ratio": 0.3, "indices": "bitmap", "values": "sign"},
    "topk-runs": {"kind": "topk", "ratio": 0.3, "indices": "runs", "scope": "tensor"},
    "topk-u32-block": {"kind": "topk", "ratio": 0.1, "indices": "u32", "block": 4,
                       "values": "bfloat16"},
    "topk-sampled": {"kind": "topk", "ratio": 0.1, "selection": "sampled", "values": "float16"},
    "random-k": {"kind": "random-k", "ratio": 0.1},
    "random-k-shared": {"kind": "random-k", "ratio": 0.1, "places": "shared"},
    "threshold": {"kind": "threshold", "threshold": 0.01},
    "quantize2": {"kind": "quantize", "bits": 2, "chunk": 64},
    "quantize-entropy": {"kind": "quantize", "bits": 4, "entropyCoded": True},
    "qsgd-elias": {"kind": "qsgd", "levels": 1, "coding": "elias"},
    "qsgd-max": {"kind": "qsgd", "norm": "max", "coding": "entropy", "bucket": 32},
    "natural": {"kind": "natural"},
    "natural-entropy": {"kind": "natural", "entropyCoded": True},
    "sign": {"kind": "sign"},
    "sign-bare": {"kind": "sign", "scaled": False},
    "ternary": {"kind": "ternary"},
    "ternary-entropy": {"kind": "ternary", "clip": 0, "entropyCoded": True},
    "low-rank": {"kind": "low-rank", "rank": 2},
}

UP_ONLY = {
    "topk-no-memory": {"kind": "topk", "ratio": 0.1, "errorFeedback": False},
    "topk-ef21": {"kind": "topk", "ratio": 0.1, "feedback": "ef21"},
    "topk-ef21-momentum": {"kind": "topk", "ratio": 0.1, "feedback": "ef21", "smoothing": 0.3},
    "topk-fading": {"kind": "topk", "ratio": 0.1, "fading": 0.5},
    "topk-forgets": {"kind": "topk", "ratio": 0.1, "fading": 0},
    "topk-gradient-units": {"kind": "topk", "ratio": 0.1, "errorUnits": "gradient"},
    "quantize-ef": {"kind": "quantize", "bits": 2, "errorFeedback": True},
    "random-k-ef": {"kind": "random-k", "ratio": 0.1, "errorFeedback": True},
    "sign-ef21": {"kind": "sign", "feedback": "ef21"},
    "low-rank-factors": {"kind": "low-rank", "rank": 2, "sums": "factors"},
    "low-rank-own": {"kind": "low-rank", "rank": 2, "sums": "factors", "errorReference": "own"},
    "low-rank-no-memory": {"kind": "low-rank", "rank": 2, "errorFeedback": False},
    "dgc": {"kind": "dgc", "ratio": 0.05},
    "dgc-quarters": {"kind": "dgc", "ratio": 0.05, "warmup": "quarters", "nesterov": True},
    "dgc-geometric": {"kind": "dgc", "ratio": 0.05, "warmup": "geometric", "warmupStages": 2,
                      "clip": 1, "masking": False, "fading": 0.5},
    "groups": {"kind": "quantize", "groups": [{"group": "head", "kind": "dense"},
                                              {"group": "body", "kind": "sign"}]},
    "dense-vectors": {"kind": "topk", "ratio": 0.1, "denseVectors": True, "scope": "tensor"},
    "dense-below": {"kind": "quantize", "denseBelow": 20, "blocks": "all"},
    "layers-topk": {"kind": "topk", "ratio": 0.1, "scope": "tensor", "layerwise": {"every": 1}},
    "layers-quantize": {"kind": "quantize", "bits": 4, "layerwise": {
        "every": 2, "measure": "squared", "slack": 2}},
    "layers-low-rank": {"kind": "low-rank", "rank": 2, "layerwise": {"every": 1}},
}

DOWN_ONLY = {
    "topk-shadow-off": {"kind": "topk", "ratio": 0.1, "shadow": False},
    "quantize-shadow": {"kind": "quantize", "bits": 2, "shadow": True},
    "random-k-shadow": {"kind": "random-k", "ratio": 0.2, "shadow": True},
    "layers": {"kind": "topk", "ratio": 0.1, "scope": "tensor", "layerwise": {"every": 1}},
}


def by_codec():
    both = [(f"codec/up/{word}", {"uplink": codec}) for word, codec in (UP | UP_ONLY).items()]
    both += [(f"codec/down/{word}", {"downlink": codec})
             for word, codec in (UP | DOWN_ONLY).items()]
    for name, links in both:
        yield row(name, {"compression": links, "federation.rounds": 4})
    for word in ["low-rank", "layers-topk", "low-rank-own", "dgc", "topk-ef21", "groups"]:
        links = {"compression": {"uplink": (UP | UP_ONLY)[word]}, "federation.rounds": 4}
        yield row(f"codec/batch-norm/{word}", links | {"model": BATCH_NORM})
        yield row(f"codec/scaffold/{word}", links, "scaffold")
        yield row(f"codec/deadline/{word}", links | {"system": CLOCK | {"deadline": "0.5 s"}})
        for kind in ["fedbuff", "fedasync"]:
            yield row(f"codec/{kind}/{word}", links, kind)
