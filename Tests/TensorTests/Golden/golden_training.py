"""The part of make_golden.py about losses, optimizers, schedules and files; run that script."""

import torch
from safetensors.torch import save_file
from torch.nn import functional

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
OPTIMIZERS = {
    "sgd": (SGD, {"lr": 0.1}),
    "sgd_decay": (SGD, {"lr": 0.1, "weight_decay": 0.05}),
    "sgd_momentum": (SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    "sgd_nesterov": (SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02}),
    "adam": (ADAM, {"lr": 0.01}),
    "adam_decay": (ADAM, {"lr": 0.02, "weight_decay": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    "adamw": (ADAMW, {"lr": 0.02, "weight_decay": 0.1}),
}
STEPS = 5


def optimizers(save):
    """Five steps of logistic regression on one batch; the weights after each."""
    for index, (name, (kind, options)) in enumerate(OPTIMIZERS.items()):
        torch.manual_seed(900 + index)
        x, labels = torch.randn(6, 5, 1, 1), torch.randint(3, (6,))
        layer = torch.nn.Linear(5, 3)
        tensors = {"input": x, "labels": labels.to(torch.float32)}
        tensors |= {"param.fc." + k: v.clone() for k, v in layer.named_parameters()}
        layer.double()
        optimizer = kind(layer.parameters(), **options)
        for step in range(1, STEPS + 1):
            optimizer.zero_grad()
            functional.cross_entropy(layer(x.double().flatten(1)), labels).backward()
            optimizer.step()
            for key, value in layer.named_parameters():
                tensors[f"step{step}.fc.{key}"] = value.detach().clone()
        beta1, beta2 = options.get("betas", (0.9, 0.999))
        fields = {
            "kind": kind.__name__.lower(), "lr": options["lr"], "beta1": beta1, "beta2": beta2,
            "momentum": options.get("momentum", 0), "nesterov": int(options.get("nesterov", 0)),
            "weight_decay": options.get("weight_decay", 0), "eps": options.get("eps", 1e-8),
        }  # fmt: skip
        save("optimizer_" + name, tensors, {k: str(v) for k, v in fields.items()})


def losses(save):
    """Cross-entropy of one set of logits: plain, class weights, logit offsets, both."""
    torch.manual_seed(1)
    logits, labels = torch.randn(7, 5) * 3, torch.randint(5, (7,))
    weights, offsets = torch.rand(5) * 2 + 0.1, torch.randn(5) * 2
    for name, w, o in [
        ("plain", None, None), ("weights", weights, None), ("offsets", None, offsets),
        ("both", weights, offsets),
    ]:  # fmt: skip
        z = logits.double().clone().requires_grad_()
        shifted = z if o is None else z + o.double()
        loss = functional.cross_entropy(shifted, labels, None if w is None else w.double())
        loss.backward()
        tensors = {"logits": logits, "labels": labels.to(torch.float32)}
        tensors |= {"loss": loss.reshape(1), "grad": z.grad}
        if w is not None:
            tensors["weights"] = w
        if o is not None:
            tensors["offsets"] = o
        save("loss_" + name, tensors, {})


def schedules(save):
    """The learning rate of each epoch, from base rate 1."""

    def rates(make, epochs):
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = make(optimizer)
        values = []
        for _ in range(epochs):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return torch.tensor(values, dtype=torch.float64)

    lr = torch.optim.lr_scheduler
    tensors = {
        "step": rates(lambda o: lr.StepLR(o, 7, 0.3), 40),
        "cosine": rates(lambda o: lr.CosineAnnealingLR(o, 40, eta_min=0.05), 40),
    }
    save("schedules", tensors, {})


def formats(folder):
    """Files as other programs write them: without metadata, in every dtype, a whole state_dict."""
    torch.manual_seed(3)
    plain = {"b": torch.randn(2, 3), "a.weight": torch.randn(4), "scalar": torch.tensor(2.5)}
    save_file(plain, f"{folder}/format_plain.safetensors")
    x = torch.tensor([0.0, -1.5, 2.0**-20, 65504.0, 0.1, float("inf")])
    types = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16}
    types |= {"bf16": torch.bfloat16}
    tensors = {name: x.to(dtype) for name, dtype in types.items()}
    tensors |= {"i64": torch.tensor([3, -7]), "empty": torch.zeros(0, 4)}
    save_file(tensors, f"{folder}/format_types.safetensors")
    net = torch.nn.Sequential()
    net.add_module("conv1", torch.nn.Conv2d(2, 3, 3, bias=False))
    net.add_module("n1", torch.nn.BatchNorm2d(3))
    net(torch.randn(2, 2, 5, 5))
    save_file(net.state_dict(), f"{folder}/format_state.safetensors")


def training(save, folder):
    optimizers(save)
    losses(save)
    schedules(save)
    formats(folder)
