"""Rows of commands that train nothing, or that read what others have written."""

from matrix_scenarios import CLOCK, STRATEGIES, scenario

# Every code with a page of its own.
CODES = """
E1000-1006 E1014 E1020-1022 E1030-1034 E1040 E2001-2008 E2010-2013 E2020 E3001-3006 E3101-3115
E3117 E3201-3210 E3230-3231 E3251-3258 E3301-3305 E3320-3322 E3330-3335 E3340-3343 E3360-3365
E3370-3372 E3401-3406 E3411-3415 E3420-3430 E4001-4013 E4080 E4090-4091 E4095-4103 E4110
E4120-4129 E5001 E6001-6002 E7001-7003 E7010-7013 E8001 E9001-9005 W3001-3013 W3020-3021
W3030-3038 W3041-3047 W3060-3063 W3080 W3090 W4001-4002
""".split()

# Few of the fields: each takes a fifth of a second, and the schema has them all.
WORDS = """data data.partition federation model.norm clientModels client.batch strategies
privacy.target compression.uplink system evaluation.targets limits.wallTime adamw ldam
tau-normalised oort dice-sgd lr topk-nothing""".split()

KINDS = {
    "models": "logistic mlp cnn lenet5 resnet8 resnet20 resnet18 vit vgg",
    "datasets": "synthetic cifar10 cifar100 mnist leaf npy",
    "partitions": "iid dirichlet dirichlet-cut dirichlet-balanced dirichlet-prior shards quantity"
                  " file natural",
    "codecs": "dense topk random-k threshold quantize qsgd natural sign ternary low-rank dgc",
    "accountants": "pld",
}

COMMANDS = """run plan resume verify compare report sweep audit validate list explain data privacy
doctor bench schema version help""".split()


def codes():
    for part in CODES:
        first, _, last = part[1:].partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{part[0]}{number}"


def row(name, steps, files=()):
    return {"name": name, "files": dict(files), "steps": steps}


def words():
    """explain, list, help and schema."""
    for kind, names in KINDS.items():
        yield row(f"list/{kind}", [["list", kind], ["list", kind, "--format", "json"]])
        for form in ("text", "json"):
            yield row(f"explain/{kind}/{form}",
                      [["explain", word, "--format", form] for word in names.split()])
    yield row("list/strategies", [["list", "strategies"],
                                  ["list", "strategies", "--format", "json"], ["list", "x"]])
    for form in ("text", "json"):
        yield row(f"explain/strategies/{form}",
                  [["explain", word, "--format", form] for word in STRATEGIES])
        yield row(f"explain/fields/{form}",
                  [["explain", word, "--format", form] for word in WORDS])
    for start in sorted({code[:3] for code in codes()}):
        steps = [["explain", code] for code in codes() if code.startswith(start)]
        yield row(f"explain/codes/{start}", steps)
    yield row("help", [["help", word] for word in COMMANDS] + [["help"], [], ["nonsense"],
              ["run", "--nonsense"], ["version"], ["version", "--format", "json"]])
    yield row("schema", [["schema"], ["schema", "sweep"], ["schema", "x"]])


def calculators():
    asked = {
        "epsilon": ["--rate", "0.01", "--noise", "1.1", "--steps", "500", "--delta", "1e-5"],
        "noise": ["--rate", "0.05", "--steps", "100", "--epsilon", "4", "--delta", "1e-5"],
        "steps": ["--rate", "0.02", "--noise", "1.5", "--epsilon", "3", "--delta", "1e-5"],
        "plan": ["--examples", "2000", "--steps", "60", "--epsilon", "8", "--delta", "1e-4",
                 "--batches", "50,100"],
    }
    for word, options in asked.items():
        for form in ("text", "json"):
            for kind in ("poisson", "without-replacement"):
                sampling = [] if word == "plan" else ["--sampling", kind]
                if word != "plan" or kind == "poisson":
                    yield row(f"privacy/{word}/{kind}/{form}", [
                        ["privacy", word, *options, *sampling, "--format", form]])
    yield row("privacy/unusual", [
        ["privacy", "epsilon", "--rate", "1", "--noise", "5", "--steps", "1", "--delta", "1e-6",
         "--unit", "client"],
        ["privacy", "epsilon", "--rate", "0.1", "--noise", "0", "--steps", "1", "--delta", "0.1"],
        ["privacy", "noise", "--rate", "2", "--steps", "1", "--epsilon", "1", "--delta", "0.1"]])


MANY = [{"kind": "fedavg"}, {"kind": "fedprox"}, {"kind": "fedper"}]


def folders():
    """Commands over finished runs."""
    common = {"seeds": [1, 2, 3], "federation.rounds": 4, "evaluation.every": 1, "system": CLOCK}
    lean = [{"kind": "scaffold"}, {"kind": "fedprox", "proximalWeight": 1, "label": "pulled"}]
    files = {"s.json": scenario(common | {"strategies": MANY}),
             "t.json": scenario(common | {"strategies": lean}),
             "u.json": scenario(common | {"client.batch": 16})}
    make = [["run", "s.json", "--out", "a", "--threads", "2", "--quiet"],
            ["run", "t.json", "--out", "b", "--threads", "1", "--format", "json"],
            ["run", "u.json", "--out", "u", "--threads", "2", "--quiet"]]
    yield row("report", make + [
        ["report", "a", "--latex", "a.tex", "--markdown", "a.md", "--csv", "a.csv"],
        ["report", "a", "b", "--html", "both.html", "--baseline", "fedprox", "--latex", "b.tex"],
        ["report", "a", "--metric", "generic.shots.head", "--markdown", "c.md", "--format",
         "json"], ["report", "nothing"]], files)
    yield row("compare", make + [
        ["compare", "a"], ["compare", "a", "b", "--format", "json"],
        ["compare", "a", "u"], ["compare", "a", "u", "--only-changed"],
        ["compare", "a", "b", "--out", "c"],
        ["compare", "a", "--metric", "bytes.up", "--baseline", "fedprox", "--format", "json"],
        ["compare", "a", "--metric", "personal.accuracy", "--tie-margin", "0.01"],
        *[["compare", "a", "b", "--budget", kind, "--format", "json"]
          for kind in ("rounds", "steps", "flops", "bytes", "seconds", "epsilon")],
        ["compare", "s.json", "--out", "d", "--seed", "5"], ["compare", "a", "--metric", "x"]],
        files)
    yield row("folder", make + [
        ["run", "s.json", "--out", "a"], ["run", "t.json", "--out", "a"], ["resume", "a"],
        ["verify", "a"], ["verify", "b", "--format", "json"], ["verify", "a", "--rounds", "9..12"],
        ["resume", "nothing"], ["verify", "nothing"]], files)
    private = {"unit": "example", "noiseMultiplier": 1, "delta": 0.01}
    for word, changes in {"plain": {}, "private": {"privacy": private},
                          "cnn": {"model": {"kind": "cnn", "width": 2, "dropout": []}}}.items():
        for attack in ("canary", "membership", "analytic", "cosine", "squares"):
            yield row(f"audit/{word}/{attack}", [
                ["run", "s.json", "--out", "a", "--quiet"],
                ["audit", "a", "--attack", attack, "--iterations", "3", "--trials", "10",
                 "--threads", "2"],
                ["audit", "a", "--attack", attack, "--iterations", "3", "--trials", "10",
                 "--model", "initial", "--clients", "1", "--format", "json"]],
                {"s.json": scenario(changes)})


def sweeps():
    base = scenario({"federation.rounds": 4, "seeds": [1, 2], "evaluation.every": 1})
    private = scenario({"privacy": {"unit": "example", "target": {"epsilon": 8, "delta": 0.01}},
                        "compression": {"uplink": {"kind": "quantize"}}, "seeds": [1, 2]})
    common = {"fedsim": 1, "kind": "sweep", "name": "w", "base": "s.json"}
    rates = "client.optimizer.learningRate"
    for word, more in {
        "grid": {"grid": {rates: [0.01, 0.1], "client.batch": [8, 16]}},
        "list": {"list": [{"client.batch": 4}, {}], "order": "trial-major"},
        "random": {"random": {rates: {"log": [0.01, 0.5]}, "trials": 3, "seed": 1}},
        "halving": {"grid": {rates: [0.001, 0.01, 0.05, 0.1]}, "prune": {
            "kind": "halving", "metric": "generic.accuracy", "rungs": [1, 2, 4], "factor": 2}},
        "front": {"grid": {"privacy.target.epsilon": [4, None],
                           "compression.uplink.bits": [2, 8]},
                  "front": {"maximise": ["generic.accuracy"], "minimise": ["bytes.up"],
                            "reference": {"generic.accuracy": 0.1}}},
        "fails": {"grid": {rates: [0.01, 1e6]}},
        "refused": {"grid": {"client.batch": [0, 8], "client.nothing": [1]}},
    }.items():
        sweep = ["sweep", "w.json", "--out", "w", "--threads", "2"]
        yield row(f"sweep/{word}", [
            ["sweep", "w.json", "--print"], sweep + ["--shard", "1/2"], sweep,
            ["sweep", "w", "--format", "json"]],
            {"s.json": private if word == "front" else base, "w.json": common | more})


def checks():
    """validate, plan and the first words of run over scenarios with and without mistakes."""
    wrong = {
        "unknown": {"client.batchsize": 3, "clent": {}}, "range": {"client.batch": 0},
        "type": {"federation.rounds": "many"}, "both": {"federation.perRound": 2},
        "version": {"fedsim": 2}, "missing": {"data": {}}, "path": {"data.dataset.path": "no"},
        "inert": {"federation.sampling": {"kind": "oort"}, "client.optimizer.nesterov": True},
        "norms": {"model": {"kind": "resnet8", "width": 6, "norm": {"kind": "group",
                                                                    "groups": 4}}},
        "labels": {"strategies": [{"kind": "fedavg", "label": "a"}, {"kind": "fedprox",
                                                                     "label": "a"}]},
        "vit": {"model": {"kind": "vit", "patch": 3, "width": 8, "heads": 3}},
        "counts": {"data.longTail": {"profile": "explicit", "counts": [1, 2]}},
        "clients": {"federation.clients": 500}, "none": {},
    }
    for word, changes in wrong.items():
        yield row(f"validate/{word}", [
            ["validate", "s.json"], ["validate", "s.json", "--format", "json"],
            ["validate", "s.json", "--no-data"], ["run", "s.json", "--quiet", "--out", "out"],
            ["run", "s.json", "--out", "other", "--set", "client.batch=4", "--set", "nothing=1"]],
            {"s.json": scenario(changes)})
    yield row("validate/text", [["validate", "s.json"], ["validate", "t.json"],
                                ["run", "nothing.json"]],
              {"s.json": "{\"fedsim\": 1,\n \"a\": [1, 2,]}\n", "t.json": ""})
    yield row("data/check", [["data", "check", "data"], ["data", "check", "data", "--kind",
              "mnist"], ["data", "check", "data", "--format", "json"], ["data", "check", "no"]])
    yield row("example", [["run", "--example", "--out", "out", "--threads", "2", "--set",
              "federation.rounds=1", "--seed", "1", "--set", "data.dataset.trainPerClass=20"]])
    for word in ("fedavg", "knfu", "fedbuff", "fedloge", "local-only"):
        yield row(f"plan/{word}", [["plan", "s.json", "--probe", "0.01", "--threads", "2"],
                                   ["plan", "s.json", "--probe", "0.01", "--format", "json"]],
                  {"s.json": scenario({}, word)})


def given(scenarios):
    """The scenarios of the repository: `scenarios` maps their paths to their texts."""
    for name, text in scenarios.items():
        files = {"s.json": text}
        if '"kind": "sweep"' in text:
            continue
        steps = [["validate", "s.json", "--no-data", "--format", "json"]]
        if '"kind": "synthetic"' in text:
            steps += [["validate", "s.json"]]
            # With cohorts chosen by losses, steps depend on how far the timed trial came.
            if "power-of-choice" not in text:
                steps += [["plan", "s.json", "--probe", "0.001", "--threads", "2", "--seed", "1"]]
        yield row(f"scenarios/{name}", steps, files)
