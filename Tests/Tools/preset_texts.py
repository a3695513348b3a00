#!/usr/bin/env python3
"""Writes the scenarios of scenarios/papers as Swift text below Sources/fedsim/Presets/Texts.

usage: preset_texts.py
"""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Sources/fedsim/Presets/Texts"
NOTE = "// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers."


def wrapped(line):
    """A line of a Swift string of several lines, in pieces of at most 100 columns."""
    pieces = []
    while len(line) > 96:
        cut = line.rindex(" ", 20, 94) + 1
        pieces.append("    " + line[:cut] + "\\#")
        line = line[cut:]
    return pieces + ["    " + line if line else ""]


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.glob("*.swift"):
        old.unlink()
    names = []
    for path in sorted((ROOT / "scenarios/papers").glob("*.json")):
        title = path.stem.replace("-", " ").title().replace(" ", "")
        name = title[0].lower() + title[1:]
        names.append((path.stem, name))
        lines = [NOTE, "", "extension PresetTexts {", f'  static let {name} = #"""']
        for line in path.read_text().splitlines():
            lines += wrapped(line)
        lines += ["", '    """#', "}", ""]
        (TARGET / f"{title}.swift").write_text("\n".join(lines))
    lines = [
        NOTE,
        "",
        "/// The files of `scenarios/papers`.",
        "enum PresetTexts {",
        "  /// Name and text of each, by name.",
        "  static let all: [(String, String)] = [",
    ]
    lines += [f'    ("{stem}", {name}),' for stem, name in names] + ["  ]", "}", ""]
    (TARGET / "PresetTexts.swift").write_text("\n".join(lines))


main()
