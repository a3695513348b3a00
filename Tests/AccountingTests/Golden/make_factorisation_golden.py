"""Writes FactorisationGolden.swift: numbers that correlated noise is compared with.

    python3 -m venv venv
    venv/bin/pip install dp-accounting==0.6.0 scipy==1.17.1 numpy==2.4.6
    venv/bin/python make_factorisation_golden.py

Independent of fedsim: dense matrices and numpy's solver in place of recursions, the norm of the sum
of columns in place of running sums, and dp-accounting (privacy loss distributions by
connect-the-dots on a grid of 1e-4) for cyclic Poisson sampling.
"""

import importlib.metadata
import math
import os
import platform

import dp_accounting
import numpy as np
from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.special import binom

# rounds, participations, bands of C, bands of its inverse.
ERRORS = [
    (100, 1, [1, 4, 8, 16, 100], [2, 4, 16]),
    (100, 5, [1, 4, 8, 16, 20, 100], [2, 4, 8, 16, 64]),
    (1000, 1, [1, 4, 8, 16, 1000], [2, 4, 8, 16, 64]),
    (1000, 10, [1, 4, 8, 16, 100, 1000], [2, 4, 8, 16, 64]),
]

# population, cohort, rounds, epsilon, bands.
AMPLIFIED = [
    (1000, 50, 200, 1, 1), (1000, 50, 200, 1, 10), (1000, 50, 200, 4, 4), (1000, 50, 200, 8, 1),
    (1000, 50, 200, 8, 20), (1000, 50, 200, 16, 10), (50000, 1000, 2000, 8, 10),
]
DELTA = 1e-5


def root(rounds, bands):
    """The dense matrix whose square is the lower triangle of ones, with so many bands."""
    matrix = np.zeros((rounds, rounds))
    for k in range(bands):
        value = math.exp(math.log(binom(2 * k, k)) - k * math.log(4)) if k < 400 else float(
            np.prod(1 - 0.5 / np.arange(1, k + 1)))
        matrix += value * np.eye(rounds, k=-k)
    return matrix


def strategy(kind, rounds, bands):
    if kind == "banded":
        return root(rounds, bands)
    inverse = np.linalg.inv(root(rounds, rounds))
    keep = np.tril(np.ones((rounds, rounds))) - np.tril(np.ones((rounds, rounds)), -bands)
    return np.linalg.inv(inverse * keep)


def error_row(kind, rounds, participations, bands):
    matrix = strategy(kind, rounds, bands)
    separation = rounds // participations
    joined = sum(matrix[:, i * separation] for i in range(participations))
    sensitivity = float(np.linalg.norm(joined))
    factor = np.tril(np.ones((rounds, rounds))) @ np.linalg.inv(matrix)
    errors = (factor**2).sum(axis=1)
    return (kind, rounds, separation, participations, bands, sensitivity,
            sensitivity * math.sqrt(errors.mean()), sensitivity * math.sqrt(errors[-1]))


def amplified_row(population, cohort, rounds, epsilon, bands):
    rate = bands * cohort / population
    steps = math.ceil(rounds / bands)

    def cost(noise):
        one = pld.from_gaussian_mechanism(
            noise, sampling_prob=rate, value_discretization_interval=1e-4,
            use_connect_dots=True)
        return one.self_compose(steps).get_epsilon_for_delta(DELTA)

    low, high = 0.3, 40.0
    while high - low > 1e-5 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if cost(middle) <= epsilon else (middle, high)
    matrix = strategy("banded", rounds, bands)
    factor = np.tril(np.ones((rounds, rounds))) @ np.linalg.inv(matrix)
    norm = float(np.linalg.norm(matrix[:, 0]))
    error = high * norm * math.sqrt((factor**2).sum(axis=1).mean())
    return population, cohort, rounds, float(epsilon), bands, high, high * norm, error


def swift(value):
    if isinstance(value, str):
        return f'"{value}"'
    return repr(value) if isinstance(value, int) else repr(float(f"{value:.12g}"))


def table(name, fields, rows, words):
    signature = [f"{key}: {kind}" for key, kind in fields]
    lines = [f"  /// {words}", f"  static let {name}:", "    [(",
             f"      {', '.join(signature[:4])},", f"      {', '.join(signature[4:])}",
             "    )] = ["]
    for row in rows:
        lines.append("    (" + ", ".join(swift(value) for value in row) + "),")
    return lines + ["  ]"]


def main():
    packages = ["dp-accounting", "numpy", "scipy"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    lines = [
        "// swift-format-ignore-file",
        "// Written by make_factorisation_golden.py;",
        f"// {versions}, Python {platform.python_version()}.",
        "",
        "/// Numbers of other programs; see the script for their sources.",
        "enum FactorisationGolden {",
    ]
    d, i, s = "Double", "Int", "String"
    errors = []
    for rounds, participations, banded, inverse in ERRORS:
        errors += [error_row("banded", rounds, participations, b) for b in banded]
        errors += [error_row("banded-inverse", rounds, participations, b) for b in inverse]
    tables = [
        table("errors", [("kind", s), ("rounds", i), ("separation", i), ("participations", i),
                         ("bands", i), ("sensitivity", d), ("rmse", d), ("last", d)], errors,
              "Sensitivity, and errors of prefix sums for sigma = 1, by dense matrices."),
        table("amplified", [("population", i), ("cohort", i), ("rounds", i), ("epsilon", d),
                            ("bands", i), ("sigma", d), ("multiplier", d), ("rmse", d)],
              [amplified_row(*row) for row in AMPLIFIED],
              "Cyclic Poisson sampling at delta 1e-5, as many groups as bands."),
    ]
    for number, one in enumerate(tables):
        lines += ([""] if number else []) + one
    lines.append("}")
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "FactorisationGolden.swift"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
