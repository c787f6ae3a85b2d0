"""Weights between two models, number by number: w of the one and 1 - w of the other.

usage: interpolate_reference.py FOLDER RATIO
Reads FOLDER/finetuned.safetensors and FOLDER/pretrained.safetensors, writes the mixture of the tensors that both have to
FOLDER/mixed.safetensors.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def mix(finetuned, pretrained, ratio):
    pairs = zip(finetuned.flatten().tolist(), pretrained.flatten().tolist())
    return torch.tensor([ratio * b + (1 - ratio) * a for a, b in pairs]).view(finetuned.shape)


def main():
    folder, ratio = Path(sys.argv[1]), float(sys.argv[2])
    finetuned, pretrained = (load_file(str(folder / f"{name}.safetensors")) for name in ("finetuned", "pretrained"))
    shared = finetuned.keys() & pretrained.keys()
    save_file({name: mix(finetuned[name], pretrained[name], ratio) for name in shared},
              str(folder / "mixed.safetensors"))


main()
