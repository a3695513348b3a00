"""pfl-research (`pip install pfl`) with its PyTorch model, through its public interface.

Two worker processes with one thread each, its own way of sharing a cohort. pfl draws its own
cohorts, and with replacement, so `update_l2_round0` agrees with the others only for one client
(which needs `--workers 1`: a pfl worker without a user in the round stops).
"""
import os
import socket
import subprocess
import sys

import workloads

words = workloads.parser(__doc__)
words.add_argument("--workers", type=int, default=2)
words.add_argument("--threads", type=int, default=1)
options = words.parse_args()
work = workloads.chosen(options)

if options.workers > 1 and "PFL_WORKER_RANK" not in os.environ:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(options.workers)]
    addresses = ",".join(f"localhost:{s.getsockname()[1]}" for s in sockets)
    for s in sockets:
        s.close()
    children = [subprocess.Popen(
        [sys.executable, *sys.argv],
        env=dict(os.environ, PFL_WORKER_RANK=str(rank), PFL_WORKER_ADDRESSES=addresses,
                 OMP_NUM_THREADS=str(options.threads)))
        for rank in range(options.workers)]
    sys.exit(max(child.wait() for child in children))

from importlib.metadata import version

import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.aggregate.weighting import WeightByUser
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.callback.base import TrainingProcessCallback
from pfl.data import FederatedDataset
from pfl.data.sampling import get_user_sampler
from pfl.hyperparam import NNEvalHyperParams, NNTrainHyperParams
from pfl.metrics import Metrics, Weighted
from pfl.model.pytorch import PyTorchModel
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(options.threads)
torch.manual_seed(0)
np.random.seed(0)


class Block(nn.Module):
    """Two convolutions and a shortcut; members are made in call order."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride, 1)
        self.second = convolution(outputs, outputs, 3, 1, 1)
        self.shortcut = (convolution(inputs, outputs, 1, stride, 0) if inputs != outputs
                         else nn.Identity())

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def convolution(inputs, outputs, kernel, stride, padding):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
                         nn.GroupNorm(workloads.GROUPS, outputs, workloads.EPSILON))


def modules():
    if work.model == "logistic":
        return [nn.Linear(784, 10)]
    if work.model == "mlp":
        return [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)]
    if work.model == "cnn":
        rates = (0.25, 0.5) if work.dropout else (0.0, 0.0)
        return [nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                nn.Dropout(rates[0]), nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(),
                nn.Dropout(rates[1]), nn.Linear(128, 10)]
    width, stages, blocks = workloads.RESNETS[work.model]
    found, inputs = [convolution(3, width, 3, 1, 1), nn.ReLU()], width
    for stage in range(stages):
        for block in range(blocks):
            found.append(Block(inputs, width << stage, 2 if stage > 0 and block == 0 else 1))
            inputs = width << stage
    return found + [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10)]


class Net(nn.Sequential):
    def forward(self, x):
        return super().forward(x.permute(0, 3, 1, 2) if x.dim() == 4 else x)

    def loss(self, x, y, eval=False):
        self.train(not eval)
        return F.cross_entropy(self(x), y)

    @torch.no_grad()
    def metrics(self, x, y, eval=True):
        self.train(not eval)
        return {"loss": Weighted(F.cross_entropy(self(x), y, reduction="sum").item(), len(y))}


net = Net(*modules())
with torch.no_grad():
    for parameter, array in zip(net.parameters(), workloads.weights(work.model), strict=True):
        parameter.copy_(torch.from_numpy(array))
before = [parameter.detach().clone() for parameter in net.parameters()]

x, y = (torch.from_numpy(array) for array in workloads.samples(work))
users = {number: (x[number], y[number]) for number in range(work.clients)}
dataset = FederatedDataset.from_slices(users, get_user_sampler("random", list(users)))


class Clock(TrainingProcessCallback):
    """Each iteration is a round; the first one includes pfl's evaluation of every user."""

    def on_train_begin(self, *, model):
        self.watch, self.update = workloads.Watch(), 0.0
        return Metrics()

    def after_central_iteration(self, aggregate_metrics, model, *, central_iteration):
        self.watch.end()
        if central_iteration == 0:
            moved = [b.detach() - a for a, b in zip(before, net.parameters())]
            self.update = float(sum((d.double() ** 2).sum() for d in moved).sqrt())
        self.watch.begin()
        return False, Metrics()


clock = Clock()
FederatedAveraging().run(
    algorithm_params=NNAlgorithmParams(
        central_num_iterations=options.warmup + options.rounds, evaluation_frequency=10 ** 9,
        train_cohort_size=work.cohort, val_cohort_size=None),
    backend=SimulatedBackend(training_data=dataset, val_data=dataset,
                             postprocessors=[WeightByUser()]),
    model=PyTorchModel(model=net, local_optimizer_create=torch.optim.SGD,
                       central_optimizer=torch.optim.SGD(net.parameters(), 1.0)),
    model_train_params=NNTrainHyperParams(local_learning_rate=workloads.RATE, local_num_epochs=1,
                                          local_batch_size=work.batch),
    model_eval_params=NNEvalHyperParams(local_batch_size=None),
    callbacks=[clock], send_metrics_to_platform=False)
if int(os.environ.get("PFL_WORKER_RANK", 0)) == 0:
    # The workers are alike; this one speaks for all.
    for index in range(len(clock.watch.own)):
        clock.watch.noise[index] = max(0.0, clock.watch.noise[index]
                                       - (options.workers - 1) * clock.watch.own[index])
        clock.watch.own[index] *= options.workers
    workloads.report(options, work, clock.watch, "pfl",
                     f"workers={options.workers},threads={options.threads}", clock.update,
                     f"pfl {version('pfl')} torch {torch.__version__}",
                     resident=options.workers * workloads.resident_mb([os.getpid()]))
