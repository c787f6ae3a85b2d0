"""A checkpoint in the layout of the published ActionCLIP ones, with small random weights.

usage: published_checkpoint.py OUT_FOLDER
Writes OUT/published.pt: epoch, model_state_dict (CLIP's names, fp16), fusion_model_state_dict (`module.` keys), optimizer_state_dict.
"""

import sys
from pathlib import Path

import torch
from torch import nn

from clip_modules import Clip, FusionHead

VOCABULARY, CONTEXT = 49408, 77


def main():
    torch.manual_seed(1)
    model, head = Clip(VOCABULARY, CONTEXT), nn.DataParallel(FusionHead("Transf", CONTEXT))
    optimizer = torch.optim.AdamW(head.parameters())
    sum(p.sum() for p in head.parameters()).backward()
    optimizer.step()
    torch.save({"epoch": 3, "model_state_dict": {name: value.half() for name, value in model.state_dict().items()},
                "fusion_model_state_dict": head.state_dict(), "optimizer_state_dict": optimizer.state_dict()},
               Path(sys.argv[1]) / "published.pt")


main()
