"""Gradients of every parameter of a CLIP with a fusion head, by the loss of a batch of videos and texts, on plain PyTorch.

usage: last_blocks_reference.py OUT_FOLDER
Writes OUT/weights.safetensors and OUT/io.safetensors: clips [B, T, 3, S, S], tokens [B, L], loss and grad.NAME.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from clip_modules import FRAMES, IMAGE, Clip, FusionHead, randomize

BATCH, VOCABULARY, CONTEXT = 4, 100, 16


def texts():
    tokens = torch.zeros(BATCH, CONTEXT, dtype=torch.long)
    for row, length in enumerate((4, CONTEXT, 7, 5)):
        tokens[row, :length] = torch.randint(3, VOCABULARY - 2, (length,))
        tokens[row, length - 1] = VOCABULARY - 1
    return tokens


def clip_loss(videos, captions, scale):
    logits = scale * F.normalize(videos, dim=-1) @ F.normalize(captions, dim=-1).t()
    own = torch.arange(BATCH)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.t(), own)) / 2


def main():
    torch.manual_seed(12)
    model, head = randomize(Clip(VOCABULARY, CONTEXT)), randomize(FusionHead("Transf", layers=1))
    with torch.no_grad():
        model.logit_scale.fill_(2.0)
    named = dict(model.named_parameters()) | {f"fusion.{name}": p for name, p in head.named_parameters()}
    out = Path(sys.argv[1])
    save_file({name: p.detach().clone() for name, p in named.items()}, str(out / "weights.safetensors"))
    model.double(), head.double()  # the reference without rounding; named holds the same parameters
    clips, tokens = torch.randn(BATCH, FRAMES, 3, IMAGE, IMAGE), texts()
    frames = model.visual(clips.double().flatten(0, 1)).unflatten(0, (BATCH, FRAMES))
    loss = clip_loss(head(frames), model.encode_text(tokens), model.logit_scale.exp())
    loss.backward()
    case = dict(clips=clips, tokens=tokens, loss=loss.detach().float())
    case |= {f"grad.{name}": p.grad.float().contiguous() for name, p in named.items()}
    save_file(case, str(out / "io.safetensors"))


main()
