"""Small random ActionCLIP models in the files of other programs, with what they compute.

usage: published_models.py OUT_FOLDER KIND
KIND: a head of the published code (meanP, Conv_1D, LSTM, Transf, Transf_cls), `shift` (Transf behind an image encoder with temporal
shift), or mmaction2. Writes OUT/weights.pt and OUT/io.safetensors: images, tokens, video and text features.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from clip_modules import FRAMES, Clip, FusionHead, example, randomize


def main():
    out, kind = Path(sys.argv[1]), sys.argv[2]
    torch.manual_seed(11)
    model = randomize(Clip(shift=kind == "shift"))
    if kind == "mmaction2":
        head = randomize(FusionHead("Transf", positions=FRAMES, eps=1e-5))
    else:
        head = randomize(FusionHead("Transf" if kind == "shift" else kind))
    with torch.no_grad():  # so small that the epsilon of the head's normalisation shows
        model.visual.proj.mul_(1e-3)
        if head.kind == "Transf":
            head.frame_position_embeddings.weight.mul_(1e-3)
    if kind == "mmaction2":
        state = {f"clip.{name}": value for name, value in model.state_dict().items()}
        state |= {f"adapter.{name}": value for name, value in head.state_dict().items()}
        content = dict(meta=dict(seed=1), state_dict=state)
    else:
        content = dict(epoch=1, model_state_dict=model.state_dict(), fusion_model_state_dict=nn.DataParallel(head).state_dict())
    torch.save(content, out / "weights.pt")
    images, tokens = example()
    with torch.no_grad():
        frames = model.visual(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        save_file(dict(images=images, tokens=tokens, video=head(frames).contiguous(), text=model.encode_text(tokens)),
                  out / "io.safetensors")


main()
