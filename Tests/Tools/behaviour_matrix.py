"""Many short runs whose every output must stay what it was, to the bit.

    python3 Tests/Tools/behaviour_matrix.py --program .build/release/fedsim
    python3 Tests/Tools/behaviour_matrix.py --program NEW --against OLD --only 'codec/'

Without --against, exit codes, digests and hashes of outputs are compared with the record beside
this file; --record writes it anew. The record belongs to a kind of machine (instruction set,
OpenBLAS core, what the program was compiled for): on another, the program says so and ends with 3.
With --against, two programs run beside each other on this machine, and what differs is shown.

What is compared, and which fields are taken out first, is in matrix_normal.py; what is run, in
matrix_scenarios.py (methods, privacy, codecs), matrix_settings.py (everything else of a scenario)
and matrix_commands.py. Only Python's standard library is needed.

Exit 0: the same. 1: something differs. 2: wrong command line. 3: a machine of another kind.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import matrix_commands
import matrix_data
import matrix_normal
import matrix_scenarios
import matrix_settings

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(HERE, "behaviour_matrix.json")
SCENARIOS = os.path.join(HERE, "..", "..", "scenarios")
LONGEST = 120  # seconds of one command; none should take two


def given_scenarios():
    """Path below scenarios/ and text of every file there."""
    found = {}
    for folder, _, names in os.walk(SCENARIOS):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".json"):
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, SCENARIOS)] = file.read()
    return dict(sorted(found.items()))


def all_rows():
    rows = []
    for part in (
        matrix_scenarios.by_strategy, matrix_scenarios.by_privacy, matrix_scenarios.by_codec,
        matrix_settings.by_clock, matrix_settings.by_model, matrix_settings.by_data,
        matrix_settings.by_stop, matrix_commands.words, matrix_commands.calculators,
        matrix_commands.folders, matrix_commands.sweeps, matrix_commands.checks,
    ):
        rows += part()
    rows += matrix_commands.given(given_scenarios())
    names = [row["name"] for row in rows]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, twice
    return rows


def with_threads(words, number):
    """A command with another number of workers, which no output may depend on."""
    return [number if at and words[at - 1] == "--threads" else word
            for at, word in enumerate(words)]


def place_files(row, folder, data):
    os.makedirs(folder)
    os.symlink(data, os.path.join(folder, "data"))
    for name, content in row["files"].items():
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def call(program, words, folder):
    """One command, with nothing of the surroundings that its output could depend on."""
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "COLUMNS": "120"}
    result = subprocess.run(
        [program, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LONGEST, check=False)
    return result.returncode, result.stdout, result.stderr


def collect(row, folder):
    """The compared bytes of every file below the folder that the commands have written."""
    found = {}
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not os.path.islink(f"{above}/{name}"))
        for name in sorted(names):
            path = os.path.join(above, name)
            relative = os.path.relpath(path, folder)
            if relative in row["files"] or name == ".lock":
                continue
            with open(path, "rb") as file:
                found[relative] = matrix_normal.normal(relative, file.read())
    return found


def run_row(row, program, data, keep=None):
    """Exit codes, and the compared bytes of every output, by name."""
    root = tempfile.mkdtemp(prefix="matrix-")
    folder = os.path.join(root, "row")
    try:
        place_files(row, folder, data)
        codes, outputs = [], {}
        for number, words in enumerate(row["steps"]):
            code, out, err = call(program, words, folder)
            codes.append(code)
            for stream, text in (("stdout", out), ("stderr", err)):
                outputs[f"{stream} {number}"] = matrix_normal.output(text, folder)
        outputs |= collect(row, folder)
        if keep:
            shutil.copytree(folder, os.path.join(keep, row["name"]), symlinks=True)
        return codes, outputs
    finally:
        shutil.rmtree(root)


def digests(outputs):
    """The state digest after every round of every run of the row."""
    return {
        name.removesuffix("/digest.txt"): " ".join(
            line.split()[-1] for line in text.decode().splitlines())
        for name, text in outputs.items() if name.endswith("/digest.txt")
    }


def entry(codes, outputs):
    """What the record keeps of a row. Messages of many commands are one hash per stream."""
    files = {name: matrix_normal.short(text) for name, text in outputs.items()
             if not re.match(r"std(out|err) \d+$", name) and not name.endswith("/digest.txt")}
    said = [matrix_normal.short(outputs[f"stdout {n}"] + b"\0" + outputs[f"stderr {n}"])
            for n in range(len(codes))]
    kept = {"exit": codes, "said": said}
    if files:
        kept["files"] = files
    if digests(outputs):
        kept["digests"] = digests(outputs)
    return kept


def machine(program):
    """What results depend on besides the sources."""
    told = json.loads(subprocess.run([program, "doctor", "--format", "json"],
                                     capture_output=True, check=True).stdout)
    flags = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    words = set(flags.split())
    blas = told.get("blas", {})
    return {
        "flags": [flag for flag in ("avx2", "fma", "avx512f", "avx512bw") if flag in words],
        "compiledFor": told.get("compiledFor"), "instructions": told.get("instructions"),
        "build": told.get("build"), "kernels": told.get("kernels"),
        "blas": " ".join(str(blas.get("library")).split()[:2]), "core": blas.get("coreType"),
    }


def read_record():
    """The machine, and the rows with the hash of each file by its name."""
    with open(RECORD, encoding="utf-8") as file:
        record = json.load(file)
    for kept in record["rows"].values():
        if "files" in kept:
            layout, kind, *hashes = kept["files"].split()
            names = [name.replace("@", kind) for name in record["layouts"][layout]]
            kept["files"] = dict(zip(names, hashes, strict=True))
    return record


def pack(files, layouts):
    """Hashes in order of names, behind the layout's name; most rows have one of few layouts.

    The name of a strategy's folder is "@" in a layout.
    """
    folders = {name.split("/")[1] for name in files if name.endswith("/rounds.jsonl")}
    kind = folders.pop() if len(folders) == 1 else "-"
    names = sorted(files)
    layout = [name.replace(f"/{kind}/", "/@/") for name in names]
    key = matrix_normal.short("\n".join(layout).encode())[:6]
    layouts[key] = layout
    return " ".join([key, kind] + [files[name] for name in names])


def write_record(kind, entries):
    """One row a line, so that a change shows which rows it moved."""
    layouts = {}
    entries = {name: kept | ({"files": pack(kept["files"], layouts)} if "files" in kept else {})
               for name, kept in entries.items()}
    lines = [f"{json.dumps(name)}:{json.dumps(kept, sort_keys=True, separators=(',', ':'))}"
             for name, kept in sorted(entries.items())]
    with open(RECORD, "w", encoding="utf-8") as file:
        file.write(f'{{"machine":{json.dumps(kind, sort_keys=True)},\n"layouts":{{\n')
        file.write(",\n".join(f"{json.dumps(key)}:{json.dumps(names)}"
                              for key, names in sorted(layouts.items())))
        file.write('},\n"rows":{\n')
        file.write(",\n".join(lines) + "\n}}\n")


def compare_hashes(row, now, then):
    """Lines that say which outputs of a row are not those of the record."""
    lines = []
    if now["exit"] != then["exit"]:
        lines.append(f"exit codes {now['exit']}, recorded {then['exit']}")
    for run, kept in sorted(then.get("digests", {}).items()):
        here = now.get("digests", {}).get(run, "").split()
        first = next((i for i, (a, b) in enumerate(zip(here, kept.split())) if a != b), None)
        if first is not None:
            lines.append(f"{run}: digest of round {first} is {here[first]}, "
                         f"recorded {kept.split()[first]}")
        elif len(here) != len(kept.split()):
            lines.append(f"{run}: {len(here)} digests, recorded {len(kept.split())}")
    for number, (a, b) in enumerate(zip(now["said"], then["said"])):
        if a != b:
            lines.append(f"messages of `fedsim {' '.join(row['steps'][number])}`")
    left, right = now.get("files", {}), then.get("files", {})
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            how = "is new" if name not in right else "is missing" if name not in left else ""
            lines.append(f"{name} {how or 'differs'}")
    if not lines and now != then:
        lines.append("the row was recorded with other commands, or has other runs")
    return lines


def compare_outputs(row, now, then):
    """Lines that show where the outputs of two programs begin to differ."""
    lines = []
    if now[0] != then[0]:
        lines.append(f"exit codes {now[0]}, there {then[0]}")
    for name in sorted(now[1].keys() | then[1].keys()):
        here, there = now[1].get(name), then[1].get(name)
        said = re.match(r"std(?:out|err) (\d+)$", name)
        title = f"{name} of `{' '.join(row['steps'][int(said[1])])}`" if said else name
        if here is None or there is None:
            lines.append(f"{title} is only {'there' if here is None else 'here'}")
        elif here != there:
            lines.append(f"{title}: {matrix_normal.difference(name, here, there)}")
    return lines


def work(rows, options, data, one):
    """`one` for every row, some at a time, in order of names."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [(row, pool.submit(one, row)) for row in rows]
        for number, (row, job) in enumerate(jobs):
            yield row, job.result()
            if sys.stderr.isatty():
                print(f"\r{number + 1}/{len(jobs)}", end="\r", file=sys.stderr)


def show(row, lines):
    if lines:
        print("\n    ".join([row["name"], *lines]), flush=True)
    return bool(lines)


def against(rows, options, data):
    def both(row):
        return tuple(run_row(row, program, data) for program in (options.program, options.against))
    return sum(show(row, compare_outputs(row, *pair))
               for row, pair in work(rows, options, data, both))


def entries_of(rows, options, data):
    def one(row):
        return entry(*run_row(row, options.program, data, options.keep))
    return ((row, kept) for row, kept in work(rows, options, data, one))


def with_record(rows, options, data):
    record = read_record()["rows"]
    bad = 0
    for row, kept in entries_of(rows, options, data):
        known = record.get(row["name"])
        bad += show(row, ["is not in the record"] if known is None
                    else compare_hashes(row, kept, known))
    if not options.only:
        for name in sorted(record.keys() - {row["name"] for row in rows}):
            bad += show({"name": name}, ["is in the record alone"])
    return bad


def record_all(rows, options, data):
    """Writes all rows, or with --only those alone into the record that is there."""
    entries = read_record()["rows"] if options.only and os.path.exists(RECORD) else {}
    entries |= {row["name"]: kept for row, kept in entries_of(rows, options, data)}
    write_record(machine(options.program), entries)
    codes = [kept["exit"][0] for kept in entries.values()]
    print(f"{len(entries)} rows recorded, {sum(code != 0 for code in codes)} begin with a refusal "
          "or a stop")
    return 0


def is_other_machine(options):
    here, there = machine(options.program), read_record()["machine"]
    for key in sorted(here.keys() | there.keys()):
        if here.get(key) != there.get(key):
            print(f"{key}: {here.get(key)} here, {there.get(key)} in the record")
    if here == there:
        return False
    print("The record was made on a machine of another kind, where the same sources give other "
          "bits.\nCompare with a program built before the change: --against OTHER_PROGRAM")
    return True


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", default=".build/release/fedsim")
    parser.add_argument("--against", metavar="PROGRAM", help="another program, run beside it")
    parser.add_argument("--record", action="store_true", help="write the record anew")
    parser.add_argument("--only", metavar="REGEX", help="only rows whose names match")
    parser.add_argument("--jobs", type=int, default=2, help="rows at a time; 2 unless given")
    parser.add_argument("--threads", help="workers of every command, in place of the rows' own")
    parser.add_argument("--keep", metavar="DIR", help="leave the folders of all rows there")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    if options.against:
        options.against = os.path.abspath(options.against)
    if options.record and options.against:
        parser.error("--record and --against exclude each other")
    return options


def main():
    options = parse()
    rows = [row for row in all_rows() if not options.only or re.search(options.only, row["name"])]
    for row in rows if options.threads else []:
        row["steps"] = [with_threads(words, options.threads) for words in row["steps"]]
    if not options.record and not options.against and is_other_machine(options):
        return 3
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="matrix-data-") as folder:
        data = os.path.join(folder, "data")
        matrix_data.make(data)
        how = record_all if options.record else against if options.against else with_record
        bad = how(rows, options, data)
    print(f"{len(rows)} rows, {bad} differ, {time.monotonic() - start:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
