"""Writes PrivacyGolden.swift: numbers that the accountants are compared with.

    python3 -m venv venv
    venv/bin/pip install dp-accounting==0.6.0 scipy==1.17.1 numpy==2.4.6 mpmath==1.4.1
    venv/bin/python make_privacy_golden.py

Two sources, both independent of fedsim: the package dp-accounting (privacy loss distributions by
connect-the-dots on a grid of 1e-4, Renyi divergences of whole orders) and mpmath with 40 digits
(divergences of fractional orders, the Gaussian mechanism, two composed steps by quadrature).
"""

import importlib.metadata
import os
import platform

import dp_accounting
import mpmath as mp
from dp_accounting.pld import privacy_loss_distribution as pld
from dp_accounting.rdp import RdpAccountant

mp.mp.dps = 40
WHOLE_ORDERS = list(range(2, 64)) + [128, 256, 512, 1024]

# rate, noise, steps, delta: typical runs, then the corners.
RUNS = [
    (0.01, 1.0, 1000, 1e-5),
    (0.02, 1.5, 500, 1e-5),
    (0.004, 1.1, 10000, 1e-5),
    (0.25, 3.0, 400, 1e-6),
    (0.05, 4.0, 300, 1e-3),
    (0.5, 5.0, 100, 1e-6),
    (0.9, 2.0, 50, 1e-5),
    (0.01, 0.3, 100, 1e-5),
    (0.001, 0.4, 10000, 1e-5),
    (1e-5, 0.4, 100000, 1e-6),
    (1e-5, 100.0, 100000, 1e-6),
    (1e-4, 0.6, 10000, 1e-6),
    (0.01, 1.0, 1, 0.02),
    (0.01, 1.0, 1, 1e-6),
    (1.0, 0.4, 3, 1e-5),
    (1.0, 100.0, 100000, 1e-5),
]

# rate, noise, order.
DIVERGENCES = [
    (0.01, 1.0, 1.1), (0.01, 1.0, 2.5), (0.1, 0.6, 1.5), (0.1, 1.0, 1.3), (0.5, 2.0, 7.7),
    (0.9, 1.0, 2.2), (0.999, 3.0, 1.9), (1e-5, 1.0, 3.3), (1e-5, 100.0, 3.3), (0.25, 3.0, 10.9),
    (0.01, 0.1, 1.4), (0.3, 0.06, 5.6), (0.001, 20.0, 1.7),
]

# noise, epsilon.
GAUSSIANS = [
    (1.0, 1.0), (5.0, 0.5), (20.0, 0.1), (0.5, 0.0), (0.3, 40.0), (100.0, 0.05), (0.05, 150.0),
    (1000.0, 0.001),
]

# rate, noise, epsilon, for two steps; the losses reach far into the tail.
PAIRS = [(0.3, 0.7, 5), (0.3, 0.7, 20), (0.01, 1.0, 3), (0.01, 1.0, 8)]

# rate, steps, delta, target epsilon.
TARGETS = [
    (0.01, 1000, 1e-5, 1.0), (0.02, 150, 1e-5, 2.0), (0.1, 100, 1e-3, 8.0), (0.5, 50, 1e-5, 4.0),
]


def step(rate, noise):
    event = dp_accounting.GaussianDpEvent(noise)
    return event if rate == 1 else dp_accounting.PoissonSampledDpEvent(rate, event)


def losses(rate, noise, steps):
    one = pld.from_gaussian_mechanism(
        noise, sampling_prob=rate, value_discretization_interval=1e-4)
    return one.self_compose(steps)


def run_row(rate, noise, steps, delta):
    accountant = RdpAccountant(WHOLE_ORDERS)
    accountant.compose(step(rate, noise), steps)
    return (rate, noise, steps, delta,
            float(losses(rate, noise, steps).get_epsilon_for_delta(delta)),
            float(accountant.get_epsilon(delta)))


def divergence(rate, noise, order):
    q, s, a = mp.mpf(rate), mp.mpf(noise), mp.mpf(order)

    def excess(z):
        u = mp.expm1((2 * z - 1) / (2 * s * s))
        return mp.npdf(z, 0, s) * ((1 + q * u) ** a - 1 - a * q * u)

    turn = s * s * mp.log(1 / q - 1) + mp.mpf(1) / 2
    points = sorted([-14 * s + k * (a + 28 * s) / 60 for k in range(61)] + [turn])
    return mp.log1p(mp.quad(excess, points)) / (a - 1)


def gaussian(noise, epsilon):
    m, e = 1 / mp.mpf(noise), mp.mpf(epsilon)
    return mp.ncdf(m / 2 - e / m) - mp.e**e * mp.ncdf(-m / 2 - e / m)


def two_steps(rate, noise, epsilon):
    q, s = mp.mpf(rate), mp.mpf(noise)

    def one(e):
        x = mp.e**e
        if x <= 1 - q:
            return 1 - x
        at = -mp.mpf(1) / 2 - s * s * mp.log((x - 1 + q) / q)
        return (1 - q) * mp.ncdf(at / s) + q * mp.ncdf((at + 1) / s) - x * mp.ncdf(at / s)

    def term(x):
        loss = mp.log(1 - q + q * mp.e ** ((-mp.mpf(1) / 2 - x) / s**2))
        return ((1 - q) * mp.npdf(x, 0, s) + q * mp.npdf(x, -1, s)) * one(epsilon - loss)

    # Where the second step's loss can no longer be above the rest of epsilon.
    kink = -mp.mpf(1) / 2 - s * s * mp.log((mp.e**epsilon / (1 - q) - 1 + q) / q)
    return mp.quad(term, sorted(list(mp.linspace(-4 - 18 * s, 18 * s, 120)) + [kink]))


def target_row(rate, steps, delta, epsilon):
    def cost(noise):
        return losses(rate, noise, steps).get_epsilon_for_delta(delta)

    low, high = 0.2, 20.0
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if cost(middle) <= epsilon else (middle, high)
    return rate, steps, delta, epsilon, high


def swift(value):
    return repr(value) if isinstance(value, (int, float)) else mp.nstr(value, 17)


def table(name, fields, rows, words):
    signature = ", ".join(f"{key}: {kind}" for key, kind in fields)
    lines = [f"  /// {words}", f"  static let {name}:", f"    [({signature})] = ["]
    for row in rows:
        lines.append("    (" + ", ".join(swift(value) for value in row) + "),")
    return lines + ["  ]"]


def main():
    packages = ["dp-accounting", "mpmath", "numpy", "scipy"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    lines = [
        "// swift-format-ignore-file",
        "// Written by make_privacy_golden.py;",
        f"// {versions}, Python {platform.python_version()}.",
        "",
        "/// Numbers of other programs; see the script for their sources.",
        "enum PrivacyGolden {",
    ]
    d, i = "Double", "Int"
    tables = [
        table("runs", [("rate", d), ("noise", d), ("steps", i), ("delta", d), ("pld", d),
                       ("rdp", d)], [run_row(*row) for row in RUNS],
              "Epsilon by dp-accounting: grid of 1e-4; whole Renyi orders 2...63, 128...1024."),
        table("divergences", [("rate", d), ("noise", d), ("order", d), ("value", d)],
              [(*row, divergence(*row)) for row in DIVERGENCES],
              "Renyi divergence of one step, 40 digits."),
        table("gaussians", [("noise", d), ("epsilon", d), ("delta", d)],
              [(*row, gaussian(*row)) for row in GAUSSIANS],
              "Delta of the Gaussian mechanism, 40 digits."),
        table("twoSteps", [("rate", d), ("noise", d), ("epsilon", d), ("delta", d)],
              [(q, s, float(e), two_steps(q, s, e)) for q, s, e in PAIRS],
              "Delta of two sampled steps, direction of removal, 40 digits."),
        table("targets", [("rate", d), ("steps", i), ("delta", d), ("epsilon", d), ("noise", d)],
              [target_row(*row) for row in TARGETS],
              "Least noise multiplier by dp-accounting, grid of 1e-4, halved to 1e-6."),
    ]
    for number, one in enumerate(tables):
        lines += ([""] if number else []) + one
    lines.append("}")
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "PrivacyGolden.swift"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
