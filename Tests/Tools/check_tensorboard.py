#!/usr/bin/env python3
"""Compares the TensorBoard files of a run folder with rounds.jsonl and clients.csv.

TensorBoard itself reads the files: its EventAccumulator every value of every run, its
EventMultiplexer the folder above them, which must find all runs under their names.

Usage:
  python check_tensorboard.py RUN_FOLDER

Exit 1, with what differs, unless every number agrees. Versions: README.md beside this script.
"""
import csv
import json
import math
import pathlib
import sys

import numpy as np
from tensorboard.backend.event_processing import event_accumulator, plugin_event_multiplexer
from tensorboard.util import tensor_util


def numbers(value, path=""):
    """Every number of an object by its path, null as NaN; lists and words are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}" if path else key)
    elif value is None:
        yield path, math.nan
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def single(value):
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def expected(run):
    """Scalars as {tag: {round: value}}, times as {round: seconds}, accuracies of clients."""
    scalars, times, seconds = {}, {}, 0.0
    for line in (run / "rounds.jsonl").read_text().splitlines():
        record = json.loads(line)
        step = record.pop("round")
        seconds += record["time"]["wall"]
        times[step] = seconds
        for tag, value in numbers(record):
            scalars.setdefault(tag, {})[step] = single(value)
    clients = {}
    with open(run / "clients.csv", newline="") as file:
        for row in csv.DictReader(file):
            clients.setdefault(int(row["round"]), []).append(float(row["accuracy"]))
    return scalars, times, clients


def check_run(run):
    """Differences of one run, and how many numbers were compared."""
    wrong, count = [], 0
    scalars, times, clients = expected(run)
    guidance = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0,
                event_accumulator.TENSORS: 0}
    reader = event_accumulator.EventAccumulator(str(run / "tensorboard"), guidance)
    reader.Reload()
    if reader.file_version != 2.0:
        wrong.append(f"{run}: file version {reader.file_version}")
    tags = reader.Tags()
    if set(tags["scalars"]) != set(scalars):
        wrong.append(f"{run}: tags differ: {sorted(set(tags['scalars']) ^ set(scalars))}")
    for tag in tags["scalars"]:
        found = {event.step: event for event in reader.Scalars(tag)}
        if set(found) != set(scalars.get(tag, {})):
            wrong.append(f"{run}: {tag} has other rounds")
            continue
        for step, event in found.items():
            count += 1
            if not same(event.value, scalars[tag][step]):
                wrong.append(f"{run}: {tag}, round {step}: {event.value}, not {scalars[tag][step]}")
            if event.wall_time != times[step]:
                wrong.append(f"{run}: {tag}, round {step}: time {event.wall_time}")
    found = {}
    if "clients.accuracy" in tags["histograms"]:
        found = {e.step: e.histogram_value for e in reader.Histograms("clients.accuracy")}
    if set(found) != set(clients):
        wrong.append(f"{run}: histograms in rounds {sorted(found)}, not {sorted(clients)}")
    for step in set(found) & set(clients):
        histogram, values = found[step], clients[step]
        edges = [-math.inf] + list(histogram.bucket_limit[:-1]) + [math.inf]
        counts = [sum(a <= v < b for v in values) for a, b in zip(edges, edges[1:])]
        count += len(counts) + 3
        if (histogram.num != len(values) or histogram.min != min(values)
                or histogram.max != max(values) or list(histogram.bucket) != counts):
            wrong.append(f"{run}: the histogram of round {step} is another")
    return wrong, count


def check_folder(folder, runs):
    """What TensorBoard's own server sees: all runs, scalars and histograms as its plugins do."""
    reader = plugin_event_multiplexer.EventMultiplexer(
        tensor_size_guidance={"scalars": 0, "histograms": 0})
    reader.AddRunsFromDirectory(str(folder))
    reader.Reload()
    names = {f"{run.name}/tensorboard" for run in runs}
    wrong = []
    if set(reader.Runs()) != names:
        wrong.append(f"runs {sorted(reader.Runs())}, not {sorted(names)}")
    for run in runs:
        name = f"{run.name}/tensorboard"
        scalars, _, clients = expected(run)
        plugins = {plugin: set(reader.PluginRunToTagToContent(plugin).get(name, {}))
                   for plugin in ("scalars", "histograms")}
        if plugins["scalars"] != set(scalars):
            wrong.append(f"{name}: the scalars plugin sees {sorted(plugins['scalars'])}")
        if clients and "clients.accuracy" not in plugins["histograms"]:
            wrong.append(f"{name}: the histograms plugin does not see clients.accuracy")
        for tag in plugins["scalars"] & set(scalars):
            values = {e.step: float(tensor_util.make_ndarray(e.tensor_proto))
                      for e in reader.Tensors(name, tag)}
            if set(values) != set(scalars[tag]) or not all(
                    same(values[step], scalars[tag][step]) for step in values):
                wrong.append(f"{name}: the scalars plugin has other values of {tag}")
        for tag in plugins["histograms"]:
            for event in reader.Tensors(name, tag):
                buckets = tensor_util.make_ndarray(event.tensor_proto)
                if (np.diff(buckets[:, :2].ravel()) < 0).any():
                    wrong.append(f"{name}: {tag} has buckets that run backwards")
    return wrong


def main(folder):
    runs = sorted(path.parent for path in folder.glob("*/rounds.jsonl"))
    if not runs:
        sys.exit(f"{folder} has no runs")
    wrong, count = [], 0
    for run in runs:
        differences, compared = check_run(run)
        wrong += differences
        count += compared
    wrong += check_folder(folder, runs)
    for line in wrong[:50]:
        print(line)
    print(f"{folder}: {len(runs)} runs, {count} numbers, {len(wrong)} differences")
    return not wrong


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(pathlib.Path(sys.argv[1])) else 1)
