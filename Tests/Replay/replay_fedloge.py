#!/usr/bin/env python3
"""Recomputes a run of FedLoGe from its folder, independently of fedsim, in double precision.

Xiao et al., ICLR 2024, arXiv:2401.08977. Reads the initial weights, the frozen frame W and the
first heads from the checkpoint of a run without rounds (START); who holds which image, how pixels
are normalised and the cohorts from RUN, as replay.py does. Trains theta through W, psi and phi_k
on stopped features by plain NumPy, aggregates, realigns, and prints for each of

  theta, psi     |ours - theirs| / |theirs - start|
  phi_k          the same, the worst client
  psi', phi'_k   |ours - theirs| / |theirs|, from final/generic and final/personal

beside the same ratios between this program's own results and those from initial weights shaken by
one rounding to single precision. Also checks that W is what the method says: the number of zeros,
lengths and angles, the same bits at the start and at the end; and the bytes of every round.

Exit 1 when a ratio exceeds the limit or a check fails.

Usage:
  fedsim run scenario.json --set federation.rounds=0 --out START
  fedsim run scenario.json --out RUN
  python3 replay_fedloge.py RUN START [limit, 1e-4 unless given]

The scenario needs a data set of kind mnist, model mlp, "client.order": "sequential", optimizer
sgd, a constant schedule, one seed, weighting samples, and a strategy fedloge with the loss
cross-entropy, "generic" and "prediction" "realigned", "privateStart" "shared". tanh instead of
relu has no kinks (see replay.py).

Versions this was written with: Python 3.11 or later, NumPy 1.26 or later; nothing else.
"""
import json
import sys
from pathlib import Path

import numpy as np

from replay import Problem, distance, safetensors, shake


class FedLoGe(Problem):
    """One strategy of a run: theta is the layers before the classifier, heads are [W, b]."""

    def __init__(self, run, start, strategy):
        super().__init__(run)
        self.strategy = strategy
        name = f"{strategy['label']}-s{self.scenario['seeds'][0]}"
        lines = (run / name / "rounds.jsonl").read_text().splitlines()
        self.rounds = [json.loads(line) for line in lines]
        first = safetensors(start / name / "checkpoints" / "last.safetensors")
        last = safetensors(run / name / "checkpoints" / "last.safetensors")
        shapes = [t.shape for t in
                  safetensors(start / name / "final" / "generic.safetensors").values()]
        self.head_shapes = shapes[-2:]
        model = self.cut(first["server/model"], shapes)
        self.theta, self.frame = model[:-2], model[-2:]
        self.head = self.cut(first["server/memory/auxiliary"], self.head_shapes)
        model = self.cut(last["server/model"], shapes)
        self.ours = {"theta": model[:-2],
                     "psi": self.cut(last["server/memory/auxiliary"], self.head_shapes)}
        self.last_frame = model[-2:]
        for k in range(len(self.clients)):
            key = f"client/{k}/head"
            if key in last:
                self.ours[f"phi {k}"] = self.cut(last[key], self.head_shapes)
        final = run / name / "final"
        self.ours["psi'"] = list(safetensors(final / "generic.safetensors").values())[-2:]
        digits = max(3, len(str(len(self.clients) - 1)))
        for k in range(len(self.clients)):
            path = final / "personal" / f"{k:0{digits}}.safetensors"
            if path.exists():
                self.ours[f"phi' {k}"] = list(safetensors(path).values())[-2:]

    @staticmethod
    def cut(flat, shapes):
        """Tensors one after the other in a flat vector."""
        ends = np.cumsum([int(np.prod(s)) for s in shapes])
        assert ends[-1] == flat.size, (ends[-1], flat.size)
        return [part.reshape(s) for part, s in zip(np.split(flat, ends[:-1]), shapes)]

    def act(self, x):
        return np.maximum(x, 0) if self.activation["kind"] == "relu" else np.tanh(x)

    def slopes(self, head, h, rows):
        """Gradient of the mean cross-entropy with respect to the logits of a head."""
        z = h @ head[0].T + head[1]
        d = np.exp(z - z.max(axis=1, keepdims=True))
        d /= d.sum(axis=1, keepdims=True)
        d[np.arange(len(rows)), self.labels[rows]] -= 1
        return d / len(rows)

    def gradients(self, theta, heads, rows):
        """Of theta through the frame, and of each head on the features as they are."""
        inputs, x = [], self.images[rows]
        for i in range(0, len(theta), 2):
            inputs.append(x)
            x = self.act(x @ theta[i].T + theta[i + 1])
        own = []
        for head in heads:
            d = self.slopes(head, x, rows)
            own.append([d.T @ x, d.sum(axis=0)])
        d = self.slopes(self.frame, x, rows) @ self.frame[0]
        outputs, g = inputs[1:] + [x], [None] * len(theta)
        for layer in reversed(range(len(inputs))):
            y = outputs[layer]
            d = d * (y > 0 if self.activation["kind"] == "relu" else 1 - y * y)
            g[2 * layer], g[2 * layer + 1] = d.T @ inputs[layer], d.sum(axis=0)
            d = d @ theta[2 * layer]
        return g, own

    def client(self, k, theta, psi, phi):
        """A client's round: three optimizers, one forward pass."""
        parts = [[t.copy() for t in part] for part in (theta, psi, phi)]
        speeds = [[np.zeros_like(t) for t in part] for part in parts]
        own, position = self.clients[k], 0
        for _ in range(self.steps(k)):
            if position >= len(own):
                position = 0
            rows = own[position:position + self.batch]
            position += self.batch
            g, heads = self.gradients(parts[0], parts[1:], rows)
            for w, v, slope in zip(parts, speeds, [g] + heads):
                for i in range(len(w)):
                    s = slope[i] + self.decay * w[i]
                    v[i] = self.rho * v[i] + s
                    w[i] -= self.rate * (s + self.rho * v[i] if self.nesterov else v[i])
        return parts

    def replay(self, shaken=None):
        """All that the run leaves behind, by name."""
        theta = self.theta if shaken is None else shake(self.theta, shaken)
        psi = self.head if shaken is None else shake(self.head, shaken)
        first, own = psi, {}
        for record in self.rounds:
            cohort = [k for k in record["sampled"] if len(self.clients[k]) > 0]
            total = sum(len(self.clients[k]) for k in cohort)
            next_theta = [np.zeros_like(t) for t in theta]
            next_psi = [np.zeros_like(t) for t in psi]
            for k in cohort:
                a, b, own[k] = self.client(k, theta, psi, own.get(k, first))
                share = len(self.clients[k]) / total
                next_theta = [s + share * t for s, t in zip(next_theta, a)]
                next_psi = [s + share * t for s, t in zip(next_psi, b)]
            theta, psi = next_theta, next_psi
        result = {"theta": theta, "psi": psi}
        for k in own:
            result[f"phi {k}"] = own[k]
        rows = np.linalg.norm(psi[0], axis=1, keepdims=True)
        result["psi'"] = [self.strategy["scale"] * psi[0] / rows, psi[1]]
        for k in range(len(self.clients)):
            if len(self.clients[k]) > 0:
                private = np.linalg.norm(own.get(k, first)[0], axis=1, keepdims=True)
                result[f"phi' {k}"] = [psi[0] * private, psi[1]]
        return result

    def ratios(self, a, b):
        """The worst of each kind of tensor."""
        assert a.keys() == b.keys(), (sorted(a), sorted(b))
        worst = {}
        for name in b:
            kind = name.split()[0]
            start = self.theta if kind == "theta" else self.head
            zero = [np.zeros_like(t) for t in b[name]]
            size = distance(b[name], zero if kind.endswith("'") else start)
            worst[kind] = max(worst.get(kind, 0), distance(a[name], b[name]) / size)
        return worst

    def frame_is_right(self):
        w = self.frame[0]
        classes, width = w.shape
        zeros = int((w == 0).sum())
        lengths = np.linalg.norm(w, axis=1)
        cosines = (w / lengths[:, None]) @ (w / lengths[:, None]).T
        angles = np.degrees(np.arccos(cosines[~np.eye(classes, dtype=bool)]))
        target = np.degrees(np.arccos(-1 / (classes - 1)))
        same = all((a == b).all() for a, b in zip(self.frame, self.last_frame))
        print(f"frame {classes} x {width}: {zeros} zeros, lengths {lengths.mean():.4f} "
              f"+- {lengths.std():.4f}, angles {angles.mean():.3f} +- {angles.std():.3f} "
              f"(target {target:.3f}), {'frozen' if same else 'MOVED'}")
        expected = int(np.floor(self.strategy["sparsity"] * w.size))
        return same and zeros == expected and abs(lengths - self.strategy["norm"]).max() < 0.05

    def bytes_are_right(self):
        floats = sum(t.size for t in self.theta) + sum(t.size for t in self.head)
        for record in self.rounds:
            active = sum(len(self.clients[k]) > 0 for k in record["sampled"])
            sent = {4 * floats * active}
            if {record["bytes"]["up"], record["bytes"]["down"]} != sent:
                print("bytes", record["round"], record["bytes"], "for", sent)
                return False
        print(f"bytes: {4 * floats} each way per client and round")
        return True


def main():
    run, start = Path(sys.argv[1]), Path(sys.argv[2])
    limit = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-4
    scenario = json.loads((run / "scenario.resolved.json").read_text())
    assert scenario["federation"]["weighting"] == "samples"
    isRight = True
    for strategy in scenario["strategies"]:
        if strategy["kind"] != "fedloge":
            continue
        assert strategy["loss"]["kind"] == "cross-entropy", strategy
        assert strategy["generic"] == strategy["prediction"] == "realigned", strategy
        assert strategy["privateStart"] == "shared" and not strategy["mask"], strategy
        problem = FedLoGe(run, start, strategy)
        theirs = problem.replay()
        found = problem.ratios(problem.ours, theirs)
        shaken = problem.ratios(problem.replay(shaken=1), theirs)
        print(strategy["label"], len(problem.rounds), "rounds")
        for kind, value in found.items():
            print(f"  {kind:6} relative {value:.2e}   (shaken: {shaken[kind]:.1e})")
            isRight = isRight and value <= limit
        isRight = problem.frame_is_right() and problem.bytes_are_right() and isRight
    sys.exit(0 if isRight else 1)


if __name__ == "__main__":
    main()
