#!/usr/bin/env python3
"""Holds `fedsim schema` against `fedsim validate`, with the JSON Schema library of Python.

The schema itself must be valid Draft 2020-12; every field needs a title and a description, and its
default and examples must be legal by its own schema. Every file of scenarios/ must be accepted by
both. Then several hundred wrong files are made from them, each by one change (MUTATIONS): both must
refuse the same ones. What validate finds and a schema cannot say is counted by code:

  E31xx, E3003 ...   keys, types, ranges, words, kinds: the schema must refuse these
  other codes        rules that join several fields (sizes that must divide, methods that do not go
                     together, sections that need each other): validate alone
  EXCEPTIONS         of the first sort, what the dialect has no words for

Usage:
  python check_schema.py PROGRAM [SCENARIOS]     SCENARIOS: the folder, scenarios/ unless given

Exit 1, with what differs, unless they agree. Versions: README.md beside this script.
"""
import collections
import concurrent.futures
import copy
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Kinds of files that have a schema of their own: `fedsim schema WORD`.
SCHEMAS = {"sweep": "sweep"}
STRUCTURE = {"E3002", "E3003", "E3005", "E3006"} | {f"E31{n:02}" for n in range(1, 15)}
PER_KIND = 60
# Structure that JSON Schema cannot express: (code, pattern of the message).
EXCEPTIONS = [
    # A text such as "0 ms" has a number in it, which a pattern cannot compare.
    ("E3103", re.compile(r'^found "[^"]*" \(a string\); expected a number of ')),
]


def schema_of(program, words):
    """A schema of the program; None when it has none by that name."""
    done = subprocess.run([program, "schema", *words], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def resolved(schema, node):
    """What a reference of the schema stands for; everything else as it is."""
    if isinstance(node, dict) and "$ref" in node:
        return schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def check_fields(schema):
    """Fields without words, and defaults or examples that are not legal."""
    wrong, count = [], 0
    definitions = schema.get("$defs", {})

    def walk(node, path):
        nonlocal count
        if isinstance(node, list):
            for index, item in enumerate(node):
                walk(item, f"{path}[{index}]")
        if not isinstance(node, dict):
            return
        legal = [node["default"]] if "default" in node else []
        for value in (legal + node.get("examples", [])) if "title" in node else []:
            whole = {**node, "$defs": definitions}
            if not jsonschema.Draft202012Validator(whole).is_valid(value):
                wrong.append(f"{path}: {json.dumps(value)} is not legal by its own schema")
        for key, value in node.items():
            if key in ("default", "examples", "enum", "const", "if", "$defs"):
                continue
            if key == "properties":
                for name, field in value.items():
                    field = resolved(schema, field)
                    if isinstance(field, dict):
                        count += 1
                        if not ("const" in field or field.get("title")):
                            wrong.append(f"{path}.{name} has no title")
                        if not field.get("description"):
                            wrong.append(f"{path}.{name} has no description")
                    walk(value[name], f"{path}.{name}")
            else:
                walk(value, f"{path}/{key}")

    walk(schema, "$")
    for name, node in definitions.items():
        walk(node, f"$defs.{name}")
    return wrong, count


# ----------------------------------------------------------------------------------- wrong files


def places(json_value, path=()):
    """Every value of a scenario with the way to it, the whole first."""
    yield path, json_value
    if isinstance(json_value, dict):
        for key, value in json_value.items():
            yield from places(value, path + (key,))
    elif isinstance(json_value, list):
        for index, value in enumerate(json_value):
            yield from places(value, path + (index,))


def at(json_value, path):
    for step in path:
        json_value = json_value[step]
    return json_value


def replaced(scenario, path, value):
    new = copy.deepcopy(scenario)
    if not path:
        return value
    at(new, path[:-1])[path[-1]] = value
    return new


def unknown_key(scenario, draw, fields):
    path, found = draw.choice([p for p in places(scenario) if isinstance(p[1], dict)])
    return replaced(scenario, path, {**found, draw.choice(["zzz", "lr", "Kind", ""]): 1})


def misspelt(scenario, draw, fields):
    path, found = draw.choice([p for p in places(scenario) if isinstance(p[1], dict) and p[1]])
    key = draw.choice(list(found))
    other = draw.choice([key[:-1], key.upper(), key + "s", " " + key])
    return replaced(scenario, path, {other if k == key else k: v for k, v in found.items()})


def other_type(scenario, draw, fields):
    path, found = draw.choice(list(places(scenario)))
    values = [None, True, 3, "text", [], {}, [[]], 0.5, "3"]
    return replaced(scenario, path, draw.choice([v for v in values if type(v) is not type(found)]))


def other_number(scenario, draw, fields):
    numbers = [p for p in places(scenario)
               if isinstance(p[1], (int, float)) and not isinstance(p[1], bool)]
    path, found = draw.choice(numbers)
    values = [-1, -0.5, 0, found + 0.5, 1e17, -1e300, 1.0000001, 10**12]
    return replaced(scenario, path, draw.choice(values))


def other_word(scenario, draw, fields):
    path, found = draw.choice([p for p in places(scenario) if isinstance(p[1], str)])
    words = ["no-such-word", "", found.upper(), found + " ", "../x", "-", "a" * 101, "nul\0"]
    return replaced(scenario, path, draw.choice(words))


def missing(scenario, draw, fields):
    path, found = draw.choice([p for p in places(scenario) if isinstance(p[1], dict) and p[1]])
    key = draw.choice(list(found))
    return replaced(scenario, path, {k: v for k, v in found.items() if k != key})


def field_of_another(scenario, draw, fields):
    """A field of another kind or section, with a value that is legal there."""
    path, found = draw.choice([p for p in places(scenario) if isinstance(p[1], dict)])
    name = draw.choice([name for name in fields if name not in found])
    return replaced(scenario, path, {**found, name: fields[name]})


def other_kind(scenario, draw, fields):
    tagged = [p for p in places(scenario)
              if isinstance(p[1], dict) and {"kind", "profile"} & set(p[1]) and len(p[1]) > 1]
    others = [value["kind"] for _, value in places(scenario)
              if isinstance(value, dict) and isinstance(value.get("kind"), str)]
    path, found = draw.choice(tagged or [((), scenario)])
    tag = "profile" if "profile" in found else "kind"
    words = ["step", "pareto", "iid", "shards", "adam", "mnist", "mlp", "vit"] + others
    return replaced(scenario, path, {**found, tag: draw.choice(words)})


def repeated(scenario, draw, fields):
    lists = [p for p in places(scenario) if isinstance(p[1], list) and p[1]]
    path, found = draw.choice(lists)
    return replaced(scenario, path, draw.choice([found + found[:1], found * 3, [found]]))


def quantity(scenario, draw, fields):
    """A value of a unit where a number is, or the other way round."""
    paths = [p for p in places(scenario)
             if isinstance(p[1], (int, float, str)) and not isinstance(p[1], bool)]
    path, _ = draw.choice(paths)
    texts = ["10 Mbit/s", "10 mbit/s", "-3 s", "0 ms", "1e400 s", "3 parsec", "5  s", "2 GFLOP/s"]
    return replaced(scenario, path, draw.choice(texts))


def both_shares(scenario, draw, fields):
    federation = {"participation": 0.5, "perRound": 3, **scenario.get("federation", {})}
    return {**scenario, "federation": federation}


def later_version(scenario, draw, fields):
    changes = [{"fedsim": 2}, {"extends": "x.json"}, {"preset": "x"}, {"compare": {}},
               {"$schema": 3}, {"//": [1]}, {"// note": {}}, {"$schema": "x"}]
    return {**scenario, **draw.choice(changes)}


MUTATIONS = [unknown_key, misspelt, other_type, other_number, other_word, missing,
             field_of_another, other_kind, repeated, quantity, both_shares, later_version]


def known_fields(schema):
    """Names of all fields with a value that is legal somewhere."""
    fields = {}

    def walk(node):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                field = resolved(schema, field)
                if isinstance(field, dict) and "const" not in field:
                    value = field.get("default", (field.get("enum") or [None])[0])
                    if value is None:
                        value = field.get("minimum", field.get("exclusiveMinimum", 0) + 1)
                    fields.setdefault(name, value)
            node = list(node.values())
        if isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(schema)
    return fields


# ----------------------------------------------------------------------------------- comparing


def verdict(program, folder, number, scenario):
    """What validate finds: the codes and messages of its errors."""
    path = folder / f"{number}.json"
    path.write_text(json.dumps(scenario))
    done = subprocess.run([program, "validate", str(path), "--no-data", "--format", "json"],
                          capture_output=True, text=True)
    if done.returncode not in (0, 3):
        return [("exit", f"fedsim ends with {done.returncode}: {done.stderr}")]
    answer = json.loads(done.stdout)
    errors = [p for p in answer["problems"] if p.get("severity", "error") == "error"]
    if (done.returncode == 0) != (not errors) or (answer["status"] == "ok") != (not errors):
        return [("exit", f"exit {done.returncode} and {answer['status']}, {len(errors)} errors")]
    return [(p["code"], p["message"]) for p in errors]


def is_exception(error):
    return any(error[0] == code and text.search(error[1]) for code, text in EXCEPTIONS)


def compare(program, schema, scenarios, scratch):
    draw = random.Random(20260101)
    fields = known_fields(schema)
    checker = validator(schema)
    corpus = []
    for mutation in MUTATIONS:
        for _ in range(PER_KIND):
            name = draw.choice(sorted(scenarios))
            corpus.append((mutation.__name__, name, mutation(scenarios[name], draw, fields)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda item: verdict(program, scratch, item[0], item[1][2]),
                                enumerate(corpus)))
    wrong, both = [], collections.Counter()
    alone, unsayable, right = collections.Counter(), collections.Counter(), 0
    for (mutation, name, scenario), errors in zip(corpus, answers):
        accepts = checker.is_valid(scenario)
        structural = [e for e in errors if e[0] in STRUCTURE and not is_exception(e)]
        if any(code == "exit" for code, _ in errors):
            wrong.append(f"{mutation} of {name}: {errors[0][1]}")
        elif structural:
            both[mutation] += 1
            if accepts:
                wrong.append(f"{mutation} of {name}: the schema accepts {structural[0]}")
        elif not accepts:
            first = next(checker.iter_errors(scenario))
            wrong.append(f"{mutation} of {name}: only the schema refuses {first.json_path}: "
                         f"{first.message[:200]}")
        elif errors:
            counter = unsayable if any(map(is_exception, errors)) else alone
            counter[errors[0][0]] += 1
        else:
            right += 1
    print(f"{len(corpus)} changed files: {sum(both.values())} refused by both, {right} accepted by "
          f"both, {sum(alone.values())} refused by rules over several fields, "
          f"{sum(unsayable.values())} by structure that a schema cannot say")
    print("  refused by both:", ", ".join(f"{k} {v}" for k, v in sorted(both.items())))
    print("  by validate alone:", ", ".join(f"{k} {v}" for k, v in sorted(alone.items())))
    if sum(both.values()) < 200:
        wrong.append("fewer than 200 wrong files")
    return wrong


def main(program, folder):
    main_schema = schema_of(program, [])
    checkers = {None: validator(main_schema)}
    wrong, count = check_fields(main_schema)
    print(f"{count} fields")
    scenarios, accepted = {}, 0
    for path in sorted(folder.rglob("*.json")):
        name = str(path.relative_to(folder))
        scenario = json.loads(path.read_text())
        kind = SCHEMAS.get(scenario.get("kind"))
        if kind not in checkers:
            schema = schema_of(program, [kind])
            checkers[kind] = validator(schema) if schema else None
        if checkers[kind] is None:
            wrong.append(f"{name}: fedsim has no schema {kind}")
            continue
        for error in checkers[kind].iter_errors(scenario):
            wrong.append(f"{name}: {error.json_path}: {error.message[:200]}")
        if kind is None:
            scenarios[name] = scenario
        accepted += 1
    print(f"{accepted} files of {folder}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for number, (name, scenario) in enumerate(scenarios.items()):
            errors = verdict(program, scratch, f"right-{number}", scenario)
            wrong += [f"{name}: validate finds {error}" for error in errors]
        wrong += compare(program, main_schema, scenarios, scratch)
    for line in wrong[:60]:
        print(line)
    print(f"{len(wrong)} differences")
    return not wrong


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    scenarios = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else ROOT / "scenarios"
    sys.exit(0 if main(sys.argv[1], scenarios) else 1)
