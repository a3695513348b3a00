"""FedAvg written by hand in PyTorch, without a framework: the fastest fair loop that we know.

A client's weights are views into one flat buffer, so that loading the global model and adding up
results are single operations; workers are forked processes with one thread each, which share
samples, model and sums. `--fast` takes the settings that were fastest for each workload.
"""
import os

import workloads

words = workloads.parser(__doc__)
words.add_argument("--workers", type=int, default=2, help="forked processes; 1: this process")
words.add_argument("--threads", type=int, default=1, help="threads of each worker")
words.add_argument("--channels-last", type=int, default=0, choices=(0, 1))
words.add_argument("--pool-first", type=int, default=0, choices=(0, 1),
                   help="cnn: max-pool before the ReLU, the same result with less traffic")
words.add_argument("--manual", type=int, default=0, choices=(0, 1),
                   help="mlp, logistic: gradients by hand instead of autograd")
words.add_argument("--fast", action="store_true", help="the best of these for the workload")
options = words.parse_args()
work = workloads.chosen(options)
if options.fast:
    options.channels_last = int(len(work.shape) == 3)
    options.pool_first = int(work.model == "cnn")
    options.manual = int(work.model in ("mlp", "logistic"))

import torch
import torch.multiprocessing as processes
from torch.nn import functional as F

torch.set_num_threads(options.threads)
initial = [torch.from_numpy(array) for array in workloads.weights(work.model)]
total = sum(tensor.numel() for tensor in initial)


def views(flat):
    """The parameters as views into a flat buffer."""
    found, start = [], 0
    for tensor in initial:
        found.append(flat[start:start + tensor.numel()].view(tensor.shape))
        start += tensor.numel()
    return found


# Models: functions of the parameters in call order

def cnn(p, x):
    x = F.relu(F.conv2d(x, p[0], p[1]))
    x = F.conv2d(x, p[2], p[3])
    x = F.relu(F.max_pool2d(x, 2)) if options.pool_first else F.max_pool2d(F.relu(x), 2)
    x = F.dropout(x, 0.25, work.dropout).flatten(1)
    x = F.dropout(F.relu(F.linear(x, p[4], p[5])), 0.5, work.dropout)
    return F.linear(x, p[6], p[7])


def mlp(p, x):
    return F.linear(F.relu(F.linear(x, p[0], p[1])), p[2], p[3])


def logistic(p, x):
    return F.linear(x, p[0], p[1])


def resnet(p, x):
    width, stages, blocks = workloads.RESNETS[work.model]
    rest = iter(p)

    def convolution(x, stride, padding):
        x = F.conv2d(x, next(rest), None, stride, padding)
        return F.group_norm(x, workloads.GROUPS, next(rest), next(rest), workloads.EPSILON)

    x = F.relu(convolution(x, 1, 1))
    for stage in range(stages):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = convolution(F.relu(convolution(x, stride, 1)), 1, 1)
            if x.shape[1] != y.shape[1]:
                x = convolution(x, stride, 0)
            x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), next(rest), next(rest))


forward = {"cnn": cnn, "mlp": mlp, "logistic": logistic}.get(work.model, resnet)


# One client

class Autograd:
    def __init__(self):
        self.flat = torch.empty(total)
        self.parameters = [view.detach().requires_grad_() for view in views(self.flat)]

    def step(self, x, y):
        loss = F.cross_entropy(forward(self.parameters, x), y)
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            torch._foreach_add_(self.parameters, gradients, alpha=-workloads.RATE)


class Manual:
    """mlp and logistic: products in place."""

    def __init__(self):
        self.flat = torch.empty(total)
        self.parameters = views(self.flat)
        self.targets = torch.eye(workloads.CLASSES)

    @torch.no_grad()
    def step(self, x, y):
        *first, weight, bias = self.parameters
        h = torch.addmm(first[1], x, first[0].t()).relu_() if first else x
        d = torch.softmax(torch.addmm(bias, h, weight.t()), 1).sub_(self.targets[y])
        rate = -workloads.RATE / len(x)
        below = torch.mm(d, weight).mul_(h > 0) if first else None
        weight.addmm_(d.t(), h, alpha=rate)
        bias.add_(d.sum(0), alpha=rate)
        if first:
            first[0].addmm_(below.t(), x, alpha=rate)
            first[1].add_(below.sum(0), alpha=rate)


x, y = (torch.from_numpy(array) for array in workloads.samples(work))
if len(work.shape) == 3:
    x = x.permute(0, 1, 4, 2, 3)  # a view: channels-last storage
    if not options.channels_last:
        x = x.contiguous()
model = torch.cat([tensor.reshape(-1) for tensor in initial]).share_memory_()
sums = torch.zeros(options.workers, total).share_memory_()


def train(client, ids, result):
    """Trains some clients one after the other and adds up their weights."""
    result.zero_()
    for number in ids:
        client.flat.copy_(model)
        for start in range(0, work.samples, work.batch):
            end = start + work.batch
            client.step(x[number, start:end], y[number, start:end])
        result.add_(client.flat)


def make_client():
    return Manual() if options.manual else Autograd()


def serve(index, pipe):
    torch.set_num_threads(options.threads)
    torch.manual_seed(index)
    client = make_client()
    while (ids := pipe.recv()) is not None:
        train(client, ids, sums[index])
        pipe.send(True)


pipes, workers = [], []
if options.workers > 1:
    context = processes.get_context("fork")
    for index in range(options.workers):
        ours, theirs = context.Pipe()
        workers.append(context.Process(target=serve, args=(index, theirs), daemon=True))
        workers[-1].start()
        pipes.append(ours)
else:
    only = make_client()

update = []


def round_(number):
    ids = [int(client) for client in workloads.cohort(work, number)]
    if pipes:
        for index, pipe in enumerate(pipes):
            pipe.send(ids[index::len(pipes)])
        for pipe in pipes:
            pipe.recv()
    else:
        train(only, ids, sums[0])
    mean = sums.sum(0).div_(len(ids))
    if number == 0:
        update.append(float((mean - model).double().norm()))
    model.copy_(mean)


watch = workloads.Watch([worker.pid for worker in workers])
watch.run(options.warmup + options.rounds, round_)
variant = f"workers={options.workers},threads={options.threads}"
for name in ("channels_last", "pool_first", "manual"):
    if getattr(options, name):
        variant += "," + name
workloads.report(options, work, watch, "pytorch_loop", variant, update[0],
                 f"torch {torch.__version__}")
for pipe in pipes:
    pipe.send(None)
for worker in workers:
    worker.join()
os._exit(0)
