"""The losses on soft targets, with gradients, on plain PyTorch: written from the definitions, element by element.

usage: soft_loss_reference.py OUT_FOLDER
Writes OUT/case.safetensors: inputs, `labels` (of the texts) and `targets` (of the videos: plain, of several labels and
mixed ones); `contrastive.TARGET.*`, `texts.S.*` and `linear.S.*` for each smoothing S: loss and gradients.
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

BATCH, CLASSES, WIDTH = 6, 5, 16
SMOOTHINGS = {"0": 0.0, "1": 0.1}


def unit(x):
    return x / x.pow(2).sum(dim=-1, keepdim=True).sqrt()


def similarity(leaves):
    return leaves["logit_scale"].exp() * torch.einsum("id,jd->ij", unit(leaves["video"]), unit(leaves["text"]))


def weight(positive, target):
    """How much a column counts in its row's target: `positive` itself, or what e^(10 positive) is at 0 and at 1, and in
    proportion between them."""
    return positive if target == "normalized" else (1 - positive) * 1.0 + positive * math.exp(10)


def contrastive(logits, labels, targets, target):
    positives = [[targets[i][labels[j]].item() for j in range(BATCH)] for i in range(BATCH)]
    total = 0
    for transposed in (False, True):
        for a in range(BATCH):
            row = logits[:, a] if transposed else logits[a]
            weights = [weight(positives[b][a] if transposed else positives[a][b], target) for b in range(BATCH)]
            log_p = row - row.logsumexp(dim=0)
            for b in range(BATCH):
                q = weights[b] / sum(weights)
                if q > 0:
                    total = total + q * (math.log(q) - log_p[b])
    return total / (2 * BATCH)


def smoothed(logits, targets, smoothing):
    wanted = targets * (1 - smoothing) + smoothing / CLASSES
    return -(wanted * (logits - logits.logsumexp(dim=1, keepdim=True))).sum() / BATCH


def main():
    torch.manual_seed(8)
    labels = torch.tensor([1, 3, 1, 0, 4, 2])
    targets = torch.zeros(BATCH, CLASSES)
    for row, shares in enumerate(({1: 1.0}, {3: 0.5, 0: 0.5}, {1: 0.7, 0: 0.3}, {0: 0.7, 1: 0.3}, {4: 1 / 3, 2: 1 / 3, 3: 1 / 3},
                                  {2: 1.0})):
        for label, share in shares.items():
            targets[row, label] = share
    inputs = dict(video=torch.randn(BATCH, WIDTH), text=torch.randn(BATCH, WIDTH), logit_scale=torch.tensor(1.7),
                  classes=torch.randn(CLASSES, WIDTH), weight=torch.randn(CLASSES, WIDTH), bias=torch.randn(CLASSES))
    case = dict(inputs, labels=labels, targets=targets)

    def add(prefix, used, loss_of):
        leaves = {name: inputs[name].double().requires_grad_() for name in used}
        loss = loss_of(leaves)
        loss.backward()
        case[prefix + "loss"] = loss.float()
        case.update({f"{prefix}grad.{name}": leaf.grad.float() for name, leaf in leaves.items()})

    for target in ("softmax", "normalized"):
        add(f"contrastive.{target}.", ("video", "text", "logit_scale"),
            lambda leaves: contrastive(similarity(leaves), labels, targets, target))
    for key, smoothing in SMOOTHINGS.items():
        add(f"texts.{key}.", ("video", "classes", "logit_scale"),
            lambda leaves: smoothed(similarity({**leaves, "text": leaves["classes"]}), targets, smoothing))
        add(f"linear.{key}.", ("video", "weight", "bias"),
            lambda leaves: smoothed(leaves["video"] @ leaves["weight"].t() + leaves["bias"], targets, smoothing))
    save_file({name: value.detach().contiguous().clone() for name, value in case.items()},
              str(Path(sys.argv[1]) / "case.safetensors"))


main()
