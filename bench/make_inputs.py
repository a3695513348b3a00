"""Writes a workload's samples, initial weights and cohorts for `fedsim bench WORKLOAD --data DIR`.

    python bench/make_inputs.py --workload w1 --clients 60 --dropout 0 --out /tmp/w1
    fedsim bench w1 --clients 60 --dropout 0 --data /tmp/w1

The numbers are those that the programs beside this one draw: the same seeds, so that the first
round must move the model equally far (`update_l2_round0`).
"""
import json
import os
import struct

import numpy as np

import workloads


def write_safetensors(path, names, arrays):
    """The format: length of the header, a JSON header, raw little-endian values."""
    header, offset = {}, 0
    for name, array in zip(names, arrays):
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays:
            file.write(np.ascontiguousarray(array, "<f4").tobytes())


def main():
    words = workloads.parser(__doc__)
    words.add_argument("--out", required=True, help="the folder, made if it is missing")
    options = words.parse_args()
    work = workloads.chosen(options)
    os.makedirs(options.out, exist_ok=True)
    x, y = workloads.samples(work)
    np.save(os.path.join(options.out, "x.npy"), x)
    np.save(os.path.join(options.out, "y.npy"), y)
    rounds = options.warmup + options.rounds
    np.save(os.path.join(options.out, "cohorts.npy"),
            np.stack([workloads.cohort(work, number) for number in range(rounds)]))
    write_safetensors(os.path.join(options.out, "weights.safetensors"),
                      [name for name, _ in workloads.tensors(work.model)],
                      workloads.weights(work.model))


if __name__ == "__main__":
    main()
