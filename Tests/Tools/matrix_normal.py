"""What of fedsim's outputs is compared: everything but real time, memory and the machine.

Each rule below names the file and the field whose value is taken out before a hash is made; the
rest of the file stays, byte for byte. They were found by running the same scenarios again, with
one and two threads and on a busy machine. No file is left out whole but `.lock`, which is empty.
"""

import hashlib
import json
import re
import struct

NUMBER = rb"-?[0-9][0-9.eE+-]*|null"

# environment.json: where and when the run was made. What kernels and which OpenBLAS core it was
# made with stays: the record as a whole belongs to them.
ENVIRONMENT = [
    "system", "processor", "cores", "threads", "started", "ended", "peakMemoryBytes",
    "pretrainSeconds", "library",
]

# Answers as JSON on standard output, and files that hold the same: times that were measured, the
# memory of the process, its threads. `checksum` covers the whole file, times included.
# `disk` of a plan is measured on a trial, whose line has as many digits as its time.
ANSWER = ["seconds", "memory", "disk", "peakMemoryBytes", "pretrainSeconds", "wall", "threads"]


def fields(text, names):
    """JSON with the values of fields of these names taken out, wherever they are."""
    for name in names:
        start = b'"' + name.encode() + b'": ?'
        text = re.sub(b"(" + start + b")(" + NUMBER + b'|"[^"\n]*")', rb"\1_", text)
    return text


def rounds(text):
    """rounds.jsonl: `time.wall` and `compression.seconds`, of codecs. `time.virtual` stays."""
    text = re.sub(rb'("compression":\{[^{}]*"seconds":)[^,}]*', rb"\1_", text)
    return fields(text, ["wall"])


def results(text):
    """results.csv, and a report's own table: the value of rows of the metric `time.wall`."""
    return re.sub(rb"(?m)(,time\.wall,[^\n]*,)[^,\n]*$", rb"\1_", text)


def summary(text):
    """summary.json: the statistics of `time.wall`, and the checksum over them."""
    text = re.sub(rb'(?s)("time\.wall": \{)[^}]*\}', rb"\1_}", text)
    return fields(text, ["checksum"])


def environment(text):
    """environment.json: ENVIRONMENT, and the checksum over them."""
    return fields(text, ENVIRONMENT + ["checksum"])


def paths(text):
    """paths.json: where files were found on this machine; the paths as written stay."""
    return re.sub(rb'"/[^"\n]*"', b'"_"', text)


def tables(text):
    """tables.json: size and sum of rounds.jsonl, which holds times, and the file's checksum."""
    text = re.sub(
        rb'("name": "rounds\.jsonl",\s*"bytes": )[0-9]+(,\s*"xxh64": )"[0-9a-f]*"',
        rb"\1_\2_", text,
    )
    return fields(text, ["checksum"])


def message(text):
    """Texts for people: clock times, durations as H:MM:SS, memory and disk, threads of the machine.

    Durations in virtual seconds look the same and go, too; results.csv has them in full.
    """
    text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"DATE", text)
    text = re.sub(rb" *\b\d+:\d\d:\d\d\b", b" H:MM:SS", text)
    text = re.sub(rb" *\b[0-9.]+ [KMG]iB\b", b" SIZE", text)
    return re.sub(rb"(on )\d+ threads?", rb"\1_ threads", text)


def answer(text):
    """One JSON object on standard output."""
    text = fields(text, ANSWER)
    text = re.sub(rb'(?s)("time\.wall": \{)[^}]*\}', rb"\1_}", text)
    return message(text)


# TensorBoard's scalars of real time.
TIMES = [b"time.wall", b"compression.seconds"]


def varint(data, at):
    """A whole number of a protocol buffer, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def parts(data):
    """The fields of a protocol buffer message: (number, kind, bytes)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            start = at
            _, at = varint(data, at)
            yield key >> 3, kind, data[start:at]
            continue
        size, at = {1: (8, at), 5: (4, at)}.get(kind) or varint(data, at)
        yield key >> 3, kind, data[at:at + size]
        at += size


def scalar(value):
    """A summary's value, without its number if its tag is one of TIMES."""
    tag = next((data for number, _, data in parts(value) if number == 1), b"")
    kept = [data for number, _, data in parts(value) if tag not in TIMES or number == 1]
    return tag + b" " + b" ".join(data.hex().encode() for data in kept)


def events(data):
    """TensorBoard's event file as lines: `wall_time` of each event and scalars of wall time go.

    The frames' two checksums go with them; lengths stay. The file has no other content.
    """
    lines, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        for number, _, field in parts(data[at + 12:at + 12 + size]):
            if number == 5:  # summary
                lines += [scalar(value) for _, _, value in parts(field)]
            elif number != 1:  # wall_time
                lines.append(b"%d %s" % (number, field.hex().encode()))
        at += 16 + size
    return b"\n".join(lines)


FILES = {
    "rounds.jsonl": rounds, "summary.json": summary,
    "environment.json": environment, "tables.json": tables, "paths.json": paths,
}


def normal(name, data):
    """The bytes of a file that are compared."""
    last = name.rsplit("/", 1)[-1]
    if ".tfevents." in last:
        return events(data)
    if last in FILES:
        return FILES[last](data)
    if last.endswith(".csv"):
        return results(data)
    if last.endswith((".html", ".tex", ".md")):
        return message(data)
    return data


def output(data, root):
    """The bytes of standard output or standard error that are compared."""
    data = data.replace(root.encode(), b"ROOT")
    return answer(data) if data[:1] in b"{[" and data else message(data)


def short(data):
    return hashlib.sha256(data).hexdigest()[:16]


def tensors(data):
    """The tensors of a safetensors file by name: shape and type, and bytes."""
    (size,) = struct.unpack_from("<Q", data, 0)
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, told in header.items():
        begin, end = told["data_offsets"]
        found[name] = (told["shape"], told["dtype"], data[8 + size + begin:8 + size + end])
    return found


def other_tensors(left, right):
    """In words, which tensors of two files differ."""
    left, right = tensors(left), tensors(right)
    names = [name for name in left | right if left.get(name) != right.get(name)]
    return f"tensors {', '.join(names[:4])}" if names else "headers"


def difference(name, left, right):
    """In words, where two files begin to differ."""
    place = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b),
                 min(len(left), len(right)))
    if name.endswith(".safetensors"):
        return f"{other_tensors(left, right)} differ; {len(left)} and {len(right)} bytes"
    number = left.count(b"\n", 0, place) + 1
    start = max(left.rfind(b"\n", 0, place) + 1, place - 60)
    shown = [text[start:place + 60].split(b"\n" if start < place else None, 1)[0:1]
             for text in (left, right)]
    texts = [(text[0] if text else b"").decode(errors="replace") for text in shown]
    return f"line {number}\n      here   …{texts[0]}\n      there  …{texts[1]}"
