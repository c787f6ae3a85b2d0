"""Clips and targets mixed by torchvision's MixUp and CutMix, each pair of partners a batch of its own.

usage: mix_reference.py OUT_FOLDER
Writes OUT/case.safetensors: `clips` (uint8 [8, 2, 3, 24, 20]) and `labels` of 6 classes; for repeats R of 1 and 2 and
case I of each kind `mixup.R.I.*` and `cutmix.R.I.*`: `drawn` (lambda, x, y), `clips` (mixup: float) and `targets`.
"""

import sys
from pathlib import Path
from unittest import mock

import torch
from safetensors.torch import save_file
from torchvision import tv_tensors
from torchvision.transforms.v2 import CutMix, MixUp

CLASSES, HEIGHT, WIDTH = 6, 24, 20
# Within the frame, over its edges, all but nothing and all but everything.
DRAWN = ((0.7, 9, 11), (0.25, 0, 23), (0.5, 19, 0), (0.999, 10, 12), (0.01, 10, 12), (0.35, 4, 20))


class Drawn:
    """In the place of the Beta distribution."""

    def __init__(self, value):
        self.value = value

    def sample(self, _shape):
        return torch.tensor([self.value], dtype=torch.float64)


def mix(kind, clips, labels, drawn):
    share, x, y = drawn
    transform = kind(num_classes=CLASSES)
    transform._dist = Drawn(share)
    with mock.patch("torch.randint", side_effect=[torch.tensor([x]), torch.tensor([y])]):
        return transform(tv_tensors.Video(clips), labels)


def mix_pairs(kind, clips, labels, drawn, repeats):
    mixed_clips = torch.zeros_like(clips)
    mixed_targets = torch.zeros(len(labels), CLASSES)
    for block in range(0, len(labels), 2 * repeats):
        for row in range(block, block + repeats):
            pair = [row, row + repeats]
            pair_clips, pair_targets = mix(kind, clips[pair], labels[pair], drawn)
            mixed_clips[pair] = pair_clips.as_subclass(torch.Tensor)
            mixed_targets[pair] = pair_targets
    return mixed_clips, mixed_targets


def main():
    torch.manual_seed(3)
    clips = torch.randint(0, 256, (8, 2, 3, HEIGHT, WIDTH), dtype=torch.uint8)
    labels = torch.tensor([5, 0, 2, 2, 1, 4, 3, 0])
    case = {"clips": clips, "labels": labels}
    for repeats in (1, 2):
        for i, drawn in enumerate(DRAWN):
            for name, kind, given in (("mixup", MixUp, clips.float()), ("cutmix", CutMix, clips)):
                prefix = f"{name}.{repeats}.{i}."
                case[prefix + "clips"], case[prefix + "targets"] = mix_pairs(kind, given, labels, drawn, repeats)
                case[prefix + "drawn"] = torch.tensor(drawn, dtype=torch.float64)
    save_file({name: value.contiguous() for name, value in case.items()}, str(Path(sys.argv[1]) / "case.safetensors"))


main()
