"""Rows over the other sections: the clock, selection, networks, losses, data, stops."""

from matrix_scenarios import BATCH_NORM, CLOCK, CNN, GROUP_NORM, VIT, row

TRACE = "client,from,to\n" + "".join(
    f"{client},{start},{start + 1.5 + 0.2 * client}\n"
    for client in range(5) for start in (0.1 * client, 3 + client))
SPEEDS = "".join(f"{speed} MFLOP/s\n" for speed in (1, 2, 0.5, 4, 1, 3))

SYSTEMS = {
    "constant": {"compute": {"speed": "1 MFLOP/s"}},
    "zipf": {"compute": {"kind": "zipf", "speed": "1 MFLOP/s"}},
    "values": {"compute": {"kind": "table", "values": [
        "1 MFLOP/s", "2 MFLOP/s", "3 MFLOP/s", "1 MFLOP/s", "500 kFLOP/s", "1 GFLOP/s"]}},
    "table": {"compute": {"kind": "table", "path": "speeds.txt"}},
    "deadline": CLOCK | {"deadline": "0.5 s"},
    "deadline-partial": CLOCK | {"deadline": "0.5 s", "stragglers": "partial"},
    "deadline-nobody": CLOCK | {"deadline": "1 ms"},
    "over-selection": CLOCK | {"overSelection": 1.7},
    "over-selection-deadline": CLOCK | {"overSelection": 2, "deadline": "0.7 s"},
    "rate": CLOCK | {"availability": {"kind": "rate", "rate": 0.5}},
    "rate-nobody": CLOCK | {"availability": {"kind": "rate", "rate": 0.05}},
    "trace": CLOCK | {"availability": {"kind": "trace", "path": "trace.csv"}},
    "loss": CLOCK | {"loss": 0.4, "dropout": 0.5},
    "energy-cost": CLOCK | {
        "energy": {"computeWatts": 2, "sendWatts": 1, "receiveWatts": 0.5},
        "cost": {"perGigabyteUp": 3, "perGigabyteDown": 1, "perDeviceHour": 2}},
}

SELECTION = {
    "poisson": "poisson",
    "exact": {"kind": "power-of-choice", "candidates": 5},
    "last": {"kind": "power-of-choice", "loss": "last"},
    "oort": "oort",
    "oort-tuned": {"kind": "oort", "exploration": 0.5, "explorationDecay": 0.5, "cutOff": 0.5,
                   "clip": 0.8, "penalty": 1, "pacerStep": 0.1, "pacerWindow": 1},
}


def by_clock():
    files = {"trace.csv": TRACE, "speeds.txt": SPEEDS}
    for number, (word, system) in enumerate(SYSTEMS.items()):
        for kind in ["fedavg", "fedbuff", ["scaffold", "fedasync"][number % 2]]:
            yield row(f"clock/{kind}/{word}", {"system": system, "federation.rounds": 4}, kind,
                      files=files)
    for word, sampling in SELECTION.items():
        for kind in ["fedavg", "knfu"]:
            yield row(f"selection/{kind}/{word}", {
                "federation.sampling": sampling, "federation.rounds": 4}, kind)
        yield row(f"selection/clock/{word}", {
            "federation.sampling": sampling, "system": CLOCK, "federation.rounds": 4})
    for word, more in {
        "hinge": {"staleness": "hinge", "hingeDelay": 0}, "constant": {"staleness": "constant"},
        "no-pull": {"proximalWeight": 0},
    }.items():
        yield row(f"clock/fedasync-{word}", {"system": CLOCK}, {"kind": "fedasync"} | more)
    yield row("clock/fedbuff-momentum", {"system": CLOCK}, {
        "kind": "fedbuff", "serverOptimizer": {"kind": "sgd", "learningRate": 0.5,
                                               "momentum": 0.9}})


SYNTHETIC = {"data.dataset": {"kind": "synthetic", "classes": 3, "trainPerClass": 20,
                              "testPerClass": 4}, "data.test.perClass": 4}

MODELS = {
    "logistic": {"kind": "logistic"},
    "logistic-zero": {"kind": "logistic", "init": "zero"},
    "mlp-gelu": {"kind": "mlp", "hidden": [8, 6], "activation": "gelu", "dropout": [0.2, 0.1]},
    "mlp-tanh-cosine": {"kind": "mlp", "hidden": [8], "activation": "tanh",
                        "classifier": "cosine", "init": "glorot"},
    "mlp-sigmoid": {"kind": "mlp", "hidden": [8], "activation": "tempered-sigmoid",
                    "init": "gain"},
    "cnn": CNN, "cnn-batch": BATCH_NORM,
    "cnn-group": CNN | {"norm": {"kind": "group", "groups": 1}, "init": "he"},
    "lenet5": {"kind": "lenet5", "width": 3},
    "resnet8": GROUP_NORM,
    "resnet8-batch": {"kind": "resnet8", "width": 2, "norm": "batch", "activation": "gelu"},
    "resnet20": {"kind": "resnet20", "width": 2},
    "resnet18": {"kind": "resnet18", "width": 2},
    "resnet18-none": {"kind": "resnet18", "width": 2, "norm": "none"},
    "vgg": {"kind": "vgg", "width": 2},
    "vgg-batch": {"kind": "vgg", "width": 2, "blocks": 2, "norm": "batch"},
    "vit": VIT, "vit-cosine": VIT | {"classifier": "cosine"},
}

OPTIMIZERS = {
    "plain": {"kind": "sgd", "momentum": 0, "weightDecay": 0},
    "nesterov": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    "adam": {"kind": "adam", "weightDecay": 0.01}, "adamw": {"kind": "adamw"},
}

LOSSES = ["cross-entropy", "balanced-softmax", {"kind": "balanced-softmax", "prior": "global"},
          {"kind": "logit-adjustment", "tau": 0.7}, {"kind": "focal", "gamma": 1.5},
          {"kind": "ldam", "reweightFrom": 0.3}, {"kind": "class-balanced", "beta": 0.9}]

POST_HOC = ["none", {"kind": "tau-normalised", "tau": 0.8}, "logit-adjustment",
            {"kind": "tau-normalised", "keepBias": True}]

SERVERS = [{"kind": "sgd", "learningRate": 0.7, "momentum": 0.3}, "adagrad", "adam", "yogi"]


def by_model():
    for number, (word, model) in enumerate(MODELS.items()):
        for kind in ["fedavg", ["fedper", "fedloge"][number % 2]]:
            yield row(f"model/{kind}/{word}", {"model": model}, kind)
    # Smaller images are refused, as above.
    yield row("model/lenet5-batch", SYNTHETIC | {
        "model": {"kind": "lenet5", "width": 3, "norm": "batch"}})
    for word, optimizer in OPTIMIZERS.items():
        for kind in ["fedavg", "scaffold", "fednova", "ditto"]:
            yield row(f"optimizer/{kind}/{word}", {"client.optimizer": optimizer}, kind)
    for word, schedule in {
        "step": {"kind": "step", "every": 1, "factor": 0.5, "warmup": 1},
        "cosine": {"kind": "cosine", "floor": 0.1, "warmup": 1},
    }.items():
        yield row(f"schedule/{word}", {"client.schedule": schedule, "federation.rounds": 4})
    for number, loss in enumerate(LOSSES):
        for kind in ["fedavg", "fedrod", "moon"]:
            yield row(f"loss/{kind}/{number}", {}, {"kind": kind, "loss": loss})
        yield row(f"loss/private/{number}", {
            "privacy": {"unit": "example", "noiseMultiplier": 1, "delta": 0.01}},
            {"kind": "fedavg", "loss": loss})
    for number, word in enumerate(POST_HOC):
        yield row(f"post-hoc/{number}", {}, {"kind": "fedavg", "postHoc": word})
    for number, server in enumerate(SERVERS):
        yield row(f"server/{number}", {"model": BATCH_NORM},
                  {"kind": "fedavg", "serverOptimizer": server})
    for groups in (["norm"], ["head"], ["body"], ["norm", "head"]):
        yield row("private/" + "-".join(groups), {"model": GROUP_NORM},
                  {"kind": "fedavg", "private": groups})


VARIANTS = [
    {"kind": "fedavg-ft", "tune": "head"}, {"kind": "fedbabu", "tune": "head"},
    {"kind": "fedbabu", "tune": "body"}, {"kind": "per-fedavg", "variant": "fo"},
    {"kind": "apfl", "adaptEvery": "step"}, {"kind": "apfl", "adaptive": False},
    {"kind": "pfedme", "warmStart": False, "serverMixing": 0.5},
    {"kind": "fednova", "proximalWeight": 0.1}, {"kind": "feddyn", "gradientClip": 0},
    {"kind": "fedper", "privateLayers": 2}, {"kind": "lg-fedavg", "sharedLayers": 2},
    {"kind": "fedproto", "predict": "head", "prototypeMean": "uniform"},
    {"kind": "fedproto", "distance": "sum"},
    {"kind": "feddistill", "collect": "after", "reports": "round"},
    {"kind": "fedd2s", "order": "s2d", "upload": "perClass"},
    {"kind": "fedd2s", "order": "never", "shareShallowWeights": True, "headOptimizer": "sgd"},
    {"kind": "fedd2s", "klScope": "participatingOnly", "dropEvery": 1},
    {"kind": "fedloge", "frameTraffic": "seed", "generic": "frame", "mask": True},
    {"kind": "fedloge", "frameTraffic": "sparse", "privateStart": "own"},
    {"kind": "knfu", "estimate": "labelHistogram", "divergence": "jensen-shannon", "topK": 2},
    {"kind": "knfu", "includeSelf": False, "privateWeight": 0.5, "warmup": 1},
    {"kind": "knfu", "weightBySamples": True, "minWeight": 0.1},
    {"kind": "fedmd", "digest": "kl-logits", "temperature": 2},
    {"kind": "feddf", "validationShare": 0, "distillationSchedule": "constant"},
    {"kind": "fedgen", "fromRound": 2, "diversityWeight": 0},
    {"kind": "fedetf", "frameTraffic": "dense", "alternations": 0},
    {"kind": "fedins", "batchAveraged": True}, {"kind": "fedins", "weighting": "scenario"},
    {"kind": "fedrod", "privateStart": "zero"}, {"kind": "ccvr", "every": 1, "shrinkage": 0.2},
    {"kind": "ccvr", "headStart": "fresh"}, {"kind": "ditto", "personalEpochs": 2},
]

# The last hidden layers are as wide, so that features can be compared, too.
MIXED = [{"share": 0.5, "model": {"kind": "mlp", "hidden": [6, 32]}},
         {"share": 0.5, "model": {"kind": "mlp", "hidden": [32], "dropout": [0.1]}}]

DATA = {
    "synthetic": SYNTHETIC,
    "augment": {"data.augment": ["crop4", "flip"]}, "flip": {"data.augment": ["flip"]},
    "styles": {"data.styles": {"kinds": ["plain", "rotate90", "rotate180", "invert", "grayscale",
                                         "blur", "flip"], "perClient": 2}},
    "pixels": {"data.normalize": "none"},
    "tail-step": {"data.longTail": {"profile": "step", "factor": 5}},
    "tail-pareto": {"data.longTail": {"profile": "pareto", "factor": 5, "maxPerClass": 30}},
    "tail-explicit": {"data.longTail": {"profile": "explicit", "counts": [30, 5, 20, 0]}},
    "tail-none": {"data.longTail": None},
    "iid": {"data.partition": {"kind": "iid"}},
    "cut": {"data.partition": {"kind": "dirichlet-cut", "alpha": 0.5, "minPerClient": 3}},
    "balanced": {"data.partition": {"kind": "dirichlet-balanced", "alpha": 0.3}},
    "prior": {"data.partition": {"kind": "dirichlet-prior", "alpha": 0.3}},
    "shards": {"data.partition": {"kind": "shards"}},
    "quantity": {"data.partition": {"kind": "quantity", "sigma": 1}},
    "power-law": {"data.partition": {"kind": "quantity", "distribution": "power-law"}},
    "file": {"data.partition": {"kind": "file", "path": "split.json"}, "data.longTail": None},
    "matched": {"data.test": {"local": "match-client-labels"}},
    "holdout": {"data.test": {"local": "holdout", "holdoutShare": 0.3}},
    "pretrain": {"model.pretrain": {"images": 24, "epochs": 2, "batch": 8}},
    "pretrain-classes": {"model.pretrain": {"classes": [0, 2], "epochs": 2, "batch": 8}},
    "order": {"client.order": "sequential"}, "half-epoch": {"client.work": {"epochs": 0.5}},
    "steps": {"client.work": {"steps": 3}}, "big-batch": {"client.batch": 100},
    "one-client": {"federation.clients": 1, "federation.participation": 1},
    "one-of-six": {"federation.participation": None, "federation.perRound": 1},
    "full": {"federation.participation": 1},
    "tiny-poisson": {"federation.participation": 0.01, "federation.sampling": "poisson"},
    "no-rounds": {"federation.rounds": 0},
    "seeds": {"seeds": [1, 2]}, "targets": {"evaluation.targets": {"generic": [0.3, 0.99],
                                                                   "personal": [0.2]}},
    "no-diagnostics": {"evaluation.diagnostics": False},
    "no-tensorboard": {"output": {"tensorboard": False, "personalModels": False}},
    "mixed": {"clientModels": MIXED},
}

# One client has nothing.
SPLIT = {"clients": [list(range(0, 40)), [], [40, 41], list(range(50, 70)),
                     list(range(70, 90)), list(range(90, 160))]}


def by_data():
    for number, strategy in enumerate(VARIANTS):
        yield row(f"variant/{strategy['kind']}/{number}", {}, strategy)
    for number, (word, changes) in enumerate(DATA.items()):
        for kind in ["fedavg", ["fedd2s", "fedmd", "fedproto"][number % 3]]:
            yield row(f"data/{kind}/{word}", changes, kind, files={"split.json": SPLIT})
    for kind in ["local-only", "knfu", "fedmd", "feddf", "fedproto", "feddistill"]:
        yield row(f"mixed/{kind}", {"clientModels": MIXED}, kind)
    for kind in ["fedins", "fedssf", "linear-probe"]:
        yield row(f"data/{kind}/pretrain-vit", {
            "model": VIT | {"pretrain": {"images": 24, "epochs": 1}}}, kind)
        yield row(f"data/{kind}/pretrain-batch-norm", {
            "model": BATCH_NORM | {"pretrain": {"images": 24, "epochs": 1}}}, kind)


STOP = {"limits": {"wallTime": "1 us"}, "federation.rounds": 4, "evaluation.every": 1}
GO_ON = ["resume", "out", "--set", "limits.wallTime=1h", "--threads", "1"]


def by_stop():
    """Runs that stop after a round and go on; verification; checkpoints; divergence; threads."""
    for kind in ["fedavg", "scaffold", "fedloge", "knfu", "fedd2s", "fedgen", "ditto", "apfl",
                 "fedadam", "fedbuff", "fedasync", "moon", "creff", "pfedme", "fedrod"]:
        yield row(f"resume/{kind}", STOP | {"system": CLOCK}, kind, then=[GO_ON])
    for word, changes in {
        "dice": {"privacy": {"unit": "example", "mechanism": "dice-sgd", "noiseMultiplier": 1}},
        "client-dice": {"privacy": {"unit": "client", "mechanism": "dice-sgd",
                                    "noiseMultiplier": 1}, "federation.sampling": "poisson"},
        "dgc": {"compression": {"uplink": {"kind": "dgc", "ratio": 0.1}}},
        "shadow": {"compression": {"downlink": {"kind": "topk", "ratio": 0.1}}},
        "factors": {"compression": {"uplink": {"kind": "low-rank", "sums": "factors"}}},
        "oort": {"federation.sampling": "oort"}, "batch-norm": {"model": BATCH_NORM},
    }.items():
        yield row(f"resume/{word}", STOP | changes, then=[GO_ON])
    for every in (0, 1):
        yield row(f"checkpoints/{every}", {
            "federation.rounds": 4, "output": {"checkpointEvery": every, "keepCheckpoints": 3}},
            then=[["verify", "out", "--rounds", "2..3", "--threads", "1"],
                  ["verify", "out", "--format", "json", "--threads", "2"]])
    for kind in ["fedavg", "fedloge", "fedbuff", "feddf", "fedmd"]:
        yield row(f"diverges/{kind}", {
            "client.optimizer.learningRate": 1e6, "client.optimizer.momentum": 0.99,
            "federation.rounds": 6}, kind)
    for kind in ["fedavg", "fedloge", "knfu"]:
        for model, made in {"cnn": CNN, "resnet": GROUP_NORM, "vit": VIT}.items():
            yield row(f"one-thread/{kind}/{model}", {"model": made}, kind, threads=1)
