"""Writes DiagnosticsGolden.swift: numbers that the diagnostics of models are compared with.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6
    venv/bin/python make_diagnostics_golden.py

Independent of fedsim: covariances are formed in full, d x d, and the pseudo-inverse is NumPy's, by
a singular value decomposition. Inputs are whole numbers over 1024, which both sides make exactly.
"""

import os
import platform

import numpy as np

# classes, width, images of each class (0: a class without images)
CASES = [
    ("square", 3, 3, [4, 4, 4]),
    ("unequal", 4, 7, [3, 5, 2, 6]),
    ("narrow", 6, 3, [4, 5, 6, 4, 5, 6]),
    ("absent", 5, 9, [3, 0, 4, 5, 2]),
    ("many", 12, 20, [5] * 12),
]


def feature(label, place, j):
    noise = (place * 7919 + label * 104729 + j * 31 + place * j * 17) % 1024
    return noise / 4096 + ((label + 1) * (j + 3) * (label + j + 1) * 37) % 1024 / 1024


def weight(label, j):
    return ((label * 577 + j * j * 211 + 5 * label * j + 11) % 1024 - 512) / 1024


def numbers(classes, width, counts):
    present = [c for c in range(classes) if counts[c] > 0]
    features = {
        c: np.array([[feature(c, i, j) for j in range(width)] for i in range(counts[c])])
        for c in present
    }
    means = np.array([features[c].mean(axis=0) for c in present])
    centred = means - means.mean(axis=0)
    within = np.mean(
        [
            (features[c] - m).T @ (features[c] - m) / counts[c]
            for c, m in zip(present, means)
        ],
        axis=0,
    )
    between = centred.T @ centred / len(present)
    inverse = np.linalg.pinv(between, rcond=max(between.shape) * 2.0**-52, hermitian=True)
    nc1 = np.trace(within @ inverse) / len(present)
    norms = np.linalg.norm(centred, axis=1)
    gram = centred @ centred.T / np.outer(norms, norms)
    pairs = gram[np.triu_indices(len(present), 1)]
    rows = np.array([[weight(c, j) for j in range(width)] for c in present])
    unit = rows / np.linalg.norm(rows) - centred / np.linalg.norm(centred)
    cosine = (rows * centred).sum(axis=1) / np.linalg.norm(rows, axis=1) / norms
    return [
        nc1,
        pairs.std(),
        np.abs(pairs + 1 / (len(present) - 1)).mean(),
        norms.std() / norms.mean(),
        np.linalg.norm(unit),
        cosine.mean(),
    ]


def calibration():
    """Logits of 200 predictions of 4 classes; ECE of 15 bins, (m - 1)/15 < p <= m/15."""
    logits = np.array(
        [[(i * 37 + c * 101 + i * c * 13) % 1024 / 128 for c in range(4)] for i in range(200)]
    )
    labels = np.array([(i * i + 3 * i) % 4 for i in range(200)])
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = (shifted / shifted.sum(axis=1, keepdims=True)).max(axis=1)
    right = logits.argmax(axis=1) == labels
    error = 0.0
    for m in range(15):
        inside = (p > m / 15) & (p <= (m + 1) / 15)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - p[inside].mean())
    return error


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "DiagnosticsGolden.swift"), "w") as out:
        out.write(
            "/// Made by make_diagnostics_golden.py with Python "
            f"{platform.python_version()} and numpy {np.__version__}.\n"
        )
        out.write("enum DiagnosticsGolden {\n")
        out.write("  /// NC1, std of cosines, gap, spread of norms, distance, cosine.\n")
        out.write("  static let cases: [Case] = [\n")
        for name, classes, width, counts in CASES:
            values = ",\n        ".join(repr(float(v)) for v in numbers(classes, width, counts))
            out.write(f'    Case(\n      name: "{name}",\n      classes: {classes},\n')
            out.write(f"      width: {width},\n      counts: {counts},\n")
            out.write(f"      numbers: [\n        {values},\n      ]\n    ),\n")
        out.write("  ]\n\n  struct Case: Sendable {\n")
        out.write("    let name: String\n")
        out.write("    let classes: Int\n    let width: Int\n    let counts: [Int]\n")
        out.write("    let numbers: [Double]\n  }\n\n")
        out.write("  /// ECE of the 200 predictions of the script.\n")
        out.write(f"  static let calibrationError = {float(calibration())!r}\n}}\n")


if __name__ == "__main__":
    main()
