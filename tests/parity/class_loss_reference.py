"""Cross-entropy over all classes, by their texts and by a linear classifier, with gradients, on plain PyTorch.

usage: class_loss_reference.py OUT_FOLDER
Writes OUT/case.safetensors: inputs, and for each smoothing `texts.S.*` and `linear.S.*`: loss, gradients, logits.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

BATCH, CLASSES, WIDTH = 6, 9, 32
SMOOTHINGS = {"0": 0.0, "1": 0.1}


def unit(x):
    return x / x.pow(2).sum(dim=-1, keepdim=True).sqrt()


def text_logits(leaves):
    return leaves["logit_scale"].exp() * torch.einsum("bd,cd->bc", unit(leaves["video"]), unit(leaves["text"]))


def linear_logits(leaves):
    return (leaves["video"].unsqueeze(1) * leaves["weight"]).sum(dim=-1) + leaves["bias"]


def smoothed_loss(logits, labels, smoothing):
    """The definition: the negative log-likelihood of a target of which a share lies on all classes alike."""
    target = torch.full_like(logits, smoothing / CLASSES)
    target[torch.arange(len(labels)), labels] += 1 - smoothing
    return -(target * (logits - logits.logsumexp(dim=1, keepdim=True))).sum(dim=1).mean()


def main():
    torch.manual_seed(5)
    layer = nn.Linear(WIDTH, CLASSES)
    inputs = dict(video=3 * torch.randn(BATCH, WIDTH), text=torch.randn(CLASSES, WIDTH), logit_scale=torch.tensor(2.1),
                  weight=layer.weight.detach().clone(), bias=layer.bias.detach().clone())
    labels = torch.tensor([8, 0, 3, 3, 1, 7])
    case = dict(inputs, labels=labels)
    for kind, logits_of, used in (("texts", text_logits, ("video", "text", "logit_scale")),
                                  ("linear", linear_logits, ("video", "weight", "bias"))):
        for key, smoothing in SMOOTHINGS.items():
            leaves = {name: inputs[name].clone().requires_grad_() for name in used}
            logits = logits_of(leaves)
            loss = smoothed_loss(logits, labels, smoothing)
            loss.backward()
            prefix = f"{kind}.{key}."
            case |= {prefix + "logits": logits, prefix + "loss": loss}
            case |= {f"{prefix}grad.{name}": leaf.grad for name, leaf in leaves.items()}
    save_file({name: value.detach().contiguous().clone() for name, value in case.items()},
              str(Path(sys.argv[1]) / "case.safetensors"))


main()
