"""Runs other programs and fedsim in turn on the same work, and prints how they compare.

    python bench/compare.py --program .build/release/fedsim w1 w2 w3

For each workload and each of `--times` turns: every program once, one after the other, so that all
meet the same machine; each waits a while for other programs to be quiet. Peers run twice in a
turn, with the allocator as it is and with one that keeps its memory ("tuned"). Prints every
program's line of JSON, then per workload a table of medians over the turns; `x` is the peer's time
over fedsim's. Lines with noise above 0.1 CPU were disturbed by other programs.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

import workloads

HERE = os.path.dirname(os.path.abspath(__file__))
# glibc gives large blocks back to the system after every operation unless told not to.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "16000000000",
         "MALLOC_TOP_PAD_": "67108864", "MALLOC_ARENA_MAX": "1"}


def peers():
    """(name, script, options) of what can run in this environment."""
    found = [("pytorch", "pytorch_loop.py", []), ("pytorch fast", "pytorch_loop.py", ["--fast"])]
    if importlib.util.find_spec("pfl"):
        found.append(("pfl", "pfl_peer.py", []))
    return found


def run(command, extra, limit):
    """The line of JSON that a program prints last, or None with its complaint on stderr."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit,
                              env=dict(os.environ, **extra))
    except subprocess.TimeoutExpired:
        print(f"{' '.join(command)}: no result in {limit} s", file=sys.stderr)
        return None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-500:]}",
              file=sys.stderr)
        return None
    return json.loads(lines[-1])


def wait_for_quiet(limit):
    """Returns when nothing else has used a tenth of a CPU for a second, or after `limit` s."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = workloads.busy()
        time.sleep(1)
        if workloads.busy() - before < 0.1:
            return


def main():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("workloads", nargs="*", default=["w1", "w2", "w3"],
                       metavar="WORKLOAD", help=" ".join(workloads.ALL))
    words.add_argument("--program", default=".build/release/fedsim")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--times", type=int, default=3, help="turns")
    words.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                       help="fedsim's workers, and processes of each peer; one per core")
    words.add_argument("--only", help="only peers whose name contains this")
    words.add_argument("--wait", type=float, default=30,
                       help="longest wait for a quiet machine before each program, seconds")
    words.add_argument("--limit", type=float, default=900, help="seconds per program")
    options = words.parse_args()
    for name in options.workloads:
        if name not in workloads.ALL:
            words.error(f"no workload is called {name}")
    for name in options.workloads:
        compare(name, options)


def compare(name, options):
    rounds = ["--rounds", str(options.rounds)]
    programs = []
    for title, script, more in peers():
        if options.only and options.only not in title:
            continue
        command = [sys.executable, os.path.join(HERE, script), "--workload", name, *rounds,
                   "--workers", str(options.threads), *more]
        programs += [(title, command, {}), (title + ", tuned", command, TUNED)]
    ours = [options.program, "bench", name, "--format", "json", *rounds,
            "--threads", str(options.threads)]
    seconds, noise = {}, {}
    for turn in range(options.times):
        # fedsim between the peers, each time in another place.
        order = programs[:]
        order.insert(turn % (len(programs) + 1), ("fedsim", ours, {}))
        for title, command, extra in order:
            wait_for_quiet(options.wait)
            line = run(command, extra, options.limit)
            if line is None:
                continue
            print(json.dumps(line), flush=True)
            seconds.setdefault(title, []).append(line["sec_per_round"])
            noise.setdefault(title, []).append(line["noise"])
    if "fedsim" not in seconds:
        sys.exit(1)
    ours = statistics.median(seconds["fedsim"])
    flop = workloads.ALL[name].flop_per_round
    print(f"\n{name}: medians of {options.times} turns of {options.rounds} rounds")
    print(f"{'program':<22}{'s/round':>10}{'GFLOP/s':>10}{'x':>8}{'noise':>8}")
    for title in ["fedsim"] + [title for title, _, _ in programs if title in seconds]:
        middle = statistics.median(seconds[title])
        print(f"{title:<22}{middle:>10.4f}{flop / middle / 1e9:>10.1f}{middle / ours:>8.2f}"
              f"{statistics.median(noise[title]):>8.2f}")
    print(flush=True)


if __name__ == "__main__":
    main()
