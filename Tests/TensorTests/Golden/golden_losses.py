"""Golden numbers of losses for long tails and distillation; needs what make_golden.py needs.

    python golden_losses.py [folder]        # default: data/ beside this script

LDAM and focal loss are in their authors' formulations, with autograd for the gradients.
"""

import torch
from torch.nn import functional

from make_golden import OUT, save  # beside this script

CLASSES, EXAMPLES = 5, 7


def softmax_loss(z, labels, offsets, weights, margins, scale, focus):
    """ldam-drw's LDAMLoss (index mask, x - batch_m, s * output) with focal_loss on top."""
    index = torch.zeros_like(z, dtype=torch.bool)
    index.scatter_(1, labels.view(-1, 1), True)
    if margins is not None:
        z = torch.where(index, z - margins[labels].view(-1, 1), z)
    z = scale * z
    if offsets is not None:
        z = z + offsets
    each = functional.cross_entropy(z, labels, reduction="none")
    each = (1 - torch.exp(-each)) ** focus * each
    w = torch.ones(CLASSES, dtype=z.dtype) if weights is None else weights
    return (w[labels] * each).sum() / w[labels].sum()


def softmax_losses():
    torch.manual_seed(40)
    logits, labels = torch.randn(EXAMPLES, CLASSES) * 2, torch.randint(CLASSES, (EXAMPLES,))
    offsets, weights = torch.randn(CLASSES) * 2, torch.rand(CLASSES) * 2 + 0.1
    margins = 0.5 * (torch.tensor([9.0, 1.0, 4.0, 30.0, 2.0])) ** -0.25
    for name, o, w, m, scale, focus in [
        ("margins", None, None, margins, 1, 0), ("ldam", None, weights, margins, 30, 0),
        ("cosine", offsets, None, None, 4, 0), ("focal1", None, None, None, 1, 1),
        ("focal2", None, weights, None, 1, 2), ("focal_half", offsets, None, None, 1, 0.5),
        ("all", offsets, weights, margins, 3, 1.5),
    ]:  # fmt: skip
        z = logits.double().clone().requires_grad_()
        wide = [None if x is None else x.double() for x in (o, w, m)]
        loss = softmax_loss(z, labels, *wide, scale, focus)
        loss.backward()
        tensors = {"logits": logits, "labels": labels.to(torch.float32)}
        tensors |= {"loss": loss.reshape(1), "grad": z.grad}
        for key, value in [("offsets", o), ("weights", w), ("margins", m)]:
            if value is not None:
                tensors[key] = value
        save("tail_" + name, tensors, {"scale": str(scale), "focus": str(focus)})


def distillation():
    torch.manual_seed(41)
    student, teacher = torch.randn(EXAMPLES, CLASSES) * 3, torch.randn(EXAMPLES, CLASSES) * 3
    for name, t in [("one", 1.0), ("two", 2.0), ("half", 0.5)]:
        z = student.double().clone().requires_grad_()
        q = torch.softmax(teacher.double() / t, 1)
        kl = functional.kl_div(torch.log_softmax(z / t, 1), q, reduction="sum")
        loss = t * t * kl
        loss.backward()
        tensors = {"logits": student, "teacher": teacher, "targets": q}
        tensors |= {"loss": loss.reshape(1), "grad": z.grad}
        tensors["tempered"] = torch.softmax(teacher.double() / (2 * t), 1)
        save("distillation_" + name, tensors, {"temperature": str(t)})


if __name__ == "__main__":
    softmax_losses()
    distillation()
    print("wrote", OUT)
