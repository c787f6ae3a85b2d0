"""Drop path and embedding dropout with given masks, on open_clip's encoders in training.

usage: drop_path_reference.py image|text GIVEN FOUND
GIVEN: `weights.*`, `input`, `upstream`; `kept.BLOCK.ls_1` (attention) and `kept.BLOCK.ls_2` (perceptron) [N, 1, 1] for every
block but the first, whose rate is 0; of an image encoder `kept.embedding` [N, tokens, width]: 1 where a value stays.
FOUND: `features`, `upstream` and `grad.*`, the gradients of (features * upstream).sum().
"""

import sys

import torch
from open_clip.transformer import QuickGELU, TextTransformer, VisionTransformer
from safetensors.torch import load_file, save_file
from torch import nn

WIDTH, LAYERS, HEADS, OUTPUT = 64, 4, 4, 24
DROP_PATH, EMBEDDING_DROPOUT = 0.6, 0.3


class Times(nn.Module):
    def __init__(self, kept, rate):
        super().__init__()
        self.factors = kept / (1 - rate)

    def forward(self, x):
        return x * self.factors


def build(kind):
    if kind == "image":
        return VisionTransformer(32, 16, WIDTH, LAYERS, HEADS, 4.0, output_dim=OUTPUT, act_layer=QuickGELU)
    return TextTransformer(8, 20, WIDTH, HEADS, LAYERS, output_dim=OUTPUT, act_layer=QuickGELU)


def leave_out(model, kept):
    """Branches end in ls_1 and ls_2, which are identities without layer scale; patch_dropout stands behind the positions."""
    rates = torch.linspace(0, DROP_PATH, LAYERS, dtype=torch.float64).tolist()
    for index, (block, rate) in enumerate(zip(model.transformer.resblocks, rates)):
        if rate > 0:
            block.ls_1 = Times(kept.pop(f"{index}.ls_1"), rate)
            block.ls_2 = Times(kept.pop(f"{index}.ls_2"), rate)
    if "embedding" in kept:
        model.patch_dropout = Times(kept.pop("embedding"), EMBEDDING_DROPOUT)
    assert not kept, f"masks that nothing takes: {list(kept)}"


def below(tensors, prefix):
    return {name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)}


def main():
    kind, source, target = sys.argv[1:]
    given = load_file(source)
    model = build(kind)
    model.load_state_dict(below(given, "weights."))
    leave_out(model, below(given, "kept."))
    features = model(given["input"])
    (features * given["upstream"]).sum().backward()
    found = {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}
    save_file(found | dict(features=features.detach(), upstream=given["upstream"]), target)


main()
