"""Kills runs at random instants and goes on: the result must be that of a run nobody stopped.

    python3 Tests/Tools/kill_drill.py .build/release/fedsim --times 100

Each time a run of several methods (momentum, SCAFFOLD, FedLoGe, private training with error
feedback, compressed uploads, an asynchronous method, all on a virtual clock) is killed with
SIGKILL at a random instant, up to three times in a row, and resumed. Between a kill and a resume
half of the drills also lose what a power cut may take: bytes at the end of the line files that
nothing has promised, and a temporary file that was never renamed. Digests and all other files must
be byte for byte those of an undisturbed run, but for times.

As root on Linux it then fills a small file system: exit 6, and after it has grown, the same bytes.

Only Python's standard library is needed. Exit 0: every drill ended with the same files.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SCENARIO = {
    "fedsim": 1,
    "name": "drill",
    "seeds": [1],
    "data": {
        "dataset": {"kind": "synthetic", "trainPerClass": 40, "testPerClass": 10},
        "longTail": {"profile": "exponential", "factor": 10},
        "partition": {"kind": "dirichlet", "alpha": 0.5},
        "augment": ["flip"],
    },
    "federation": {"clients": 6, "rounds": 12, "participation": 0.67},
    "model": {"kind": "cnn", "width": 8},
    "client": {
        "work": {"epochs": 1},
        "batch": 10,
        "optimizer": {"kind": "sgd", "learningRate": 0.02, "momentum": 0.9},
    },
    "strategies": [
        {"kind": "fedavgm"},
        {"kind": "scaffold"},
        {"kind": "fedloge", "constructionSteps": 200},
        {
            "kind": "fedavg",
            "label": "private",
            "privacy": {
                "unit": "example", "mechanism": "dice-sgd", "clip": 1, "noiseMultiplier": 1,
                "delta": 1e-3,
            },
        },
        {
            "kind": "fedavg",
            "label": "coded",
            "compression": {
                "uplink": {"kind": "topk", "ratio": 0.05}, "downlink": {"kind": "quantize"},
            },
        },
        {"kind": "fedadam"},
        {"kind": "fedbuff", "buffer": 2},
    ],
    "system": {
        "compute": {"kind": "lognormal", "speed": "1 GFLOP/s", "sigma": 1},
        "network": {"up": "10 Mbit/s", "down": "50 Mbit/s"},
        "dropout": 0.1,
    },
    "evaluation": {"every": 3},
    "output": {"checkpointEvery": 2, "keepCheckpoints": 2},
}

LINES = ["rounds.jsonl", "classes.csv", "clients.csv", "messages.csv", "digest.txt",
         "privacy.jsonl", "events.jsonl"]


def files(folder):
    """Everything that must be the same, by path: text without times, other files as bytes."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            key = os.path.relpath(path, folder)
            # Times of day and of rounds, and what is drawn from them.
            if (name in ("environment.json", "report.html", ".lock", "tables.json")
                    or "tfevents" in name):
                continue
            with open(path, "rb") as file:
                data = file.read()
            if name == "rounds.jsonl":
                rounds = []
                for line in data.splitlines():
                    entry = json.loads(line)
                    entry["time"].pop("wall", None)
                    entry.get("compression", {}).pop("seconds", None)
                    rounds.append(entry)
                data = json.dumps(rounds).encode()
            if name == "summary.json":
                data = b""  # that it is there; its numbers are those of results.csv
            if name == "results.csv":
                data = b"\n".join(line for line in data.splitlines() if b"wall" not in line)
            found[key] = data
    return found


def differences(a, b):
    return sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))


def cut_power(folder, choose):
    """Takes away bytes that nothing has promised, and leaves a file that was not renamed."""
    for run in os.listdir(folder):
        record = os.path.join(folder, run, "tables.json")
        promised = {}
        if os.path.exists(record):
            with open(record) as file:
                promised = {entry["name"]: entry["bytes"] for entry in json.load(file)["files"]}
        elif not os.path.isdir(os.path.join(folder, run, "checkpoints")):
            continue
        for name in LINES:
            path = os.path.join(folder, run, name)
            if not os.path.exists(path):
                continue
            length = os.path.getsize(path)
            with open(path, "r+b") as file:
                file.truncate(choose.randint(promised.get(name, 0), length))
        torn = os.path.join(folder, run, "checkpoints", ".last.safetensors.99999.tmp")
        with open(torn, "wb") as file:
            file.write(b"torn")


def call(arguments, kill_after=None):
    """Runs the program; with `kill_after`, ends it so many seconds later. Its exit code."""
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if kill_after is not None:
        try:
            child.wait(kill_after)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
    _, errors = child.communicate()
    return child.returncode, errors.decode(errors="replace")


def resume(program, folder, scenario, extra=()):
    """What a user does: resume, or start again where nothing was begun yet."""
    if os.path.exists(os.path.join(folder, "scenario.json")):
        return [program, "resume", folder, "--quiet", *extra]
    return [program, "run", scenario, "--out", folder, "--quiet", *extra]


def drill_kills(options, work, scenario, whole, seconds, choose):
    failed = kills = 0
    for number in range(1, options.times + 1):
        folder = os.path.join(work, "cut")
        shutil.rmtree(folder, ignore_errors=True)
        told = []
        command = [options.program, "run", scenario, "--out", folder, "--quiet"]
        for _ in range(choose.randint(1, 3)):
            at = choose.uniform(0, seconds)
            code, _ = call(command + ["--threads", str(choose.randint(1, 3))], kill_after=at)
            if code == -signal.SIGKILL:
                kills += 1
            told.append(f"{at:.2f}s")
            if choose.random() < 0.5 and os.path.isdir(folder):
                cut_power(folder, choose)
                told.append("power")
            command = resume(options.program, folder, scenario)
        code, errors = call(command)
        bad = differences(whole, files(folder)) if code == 0 else [f"exit {code}: {errors}"]
        failed += bool(bad)
        print(f"{number:4} {'FAILED' if bad else 'ok':6} {' '.join(told)} {' '.join(bad[:5])}",
              flush=True)
    print(f"{options.times} drills, {kills} kills, {failed} failed")
    return failed


def drill_disk(options, work, scenario, whole, choose):
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        print("full disk: only as root on Linux")
        return 0
    size = sum(len(data) for data in whole.values()) // 1024
    failed = 0
    for number in range(1, options.disks + 1):
        mount = os.path.join(work, "small")
        os.makedirs(mount, exist_ok=True)
        small = choose.randint(64, max(65, size))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={small}k", "tmpfs", mount],
                       check=True)
        try:
            folder = os.path.join(mount, "run")
            code, errors = call([options.program, "run", scenario, "--out", folder, "--quiet"])
            full = code == 6 and "disk is full" in errors
            subprocess.run(["mount", "-o", "remount,size=1g", mount], check=True)
            again, later = call(resume(options.program, folder, scenario))
            bad = differences(whole, files(folder)) if again == 0 else [f"exit {again}: {later}"]
            if not full and code != 0:
                bad.append(f"exit {code}: {errors}")
            failed += bool(bad)
            print(f"disk {number:3} {'FAILED' if bad else 'ok':6} {small} KiB, exit {code} "
                  f"{' '.join(bad[:5])}", flush=True)
        finally:
            subprocess.run(["umount", mount], check=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--times", type=int, default=100, help="kill drills")
    parser.add_argument("--disks", type=int, default=10, help="drills on a full disk")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    choose = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as work:
        scenario = os.path.join(work, "drill.json")
        with open(scenario, "w") as file:
            json.dump(SCENARIO, file)
        reference = os.path.join(work, "whole")
        start = time.monotonic()
        code, errors = call([options.program, "run", scenario, "--out", reference, "--quiet"])
        seconds = time.monotonic() - start
        if code != 0:
            sys.exit(f"the undisturbed run ended with {code}: {errors}")
        whole = files(reference)
        print(f"undisturbed: {seconds:.1f} s, {len(whole)} files", flush=True)
        failed = drill_kills(options, work, scenario, whole, seconds, choose)
        failed += drill_disk(options, work, scenario, whole, choose)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
