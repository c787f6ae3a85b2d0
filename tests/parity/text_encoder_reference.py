"""Random text encoders of open_clip: outputs and gradients.

usage: text_encoder_reference.py OUT_FOLDER
Writes OUT/CASE.safetensors for gelu, layer_scale and eos: `weights.*`, `tokens` [N, L], `features`, `upstream` and `grad.*`, the
gradients of (features * upstream).sum(). The feature of eos is taken at the first END of a row, behind which others follow, and
before which ids larger than it stand.
"""

import sys
from pathlib import Path

import torch
from open_clip.transformer import QuickGELU, TextTransformer
from safetensors.torch import save_file
from torch import nn

CONTEXT, VOCABULARY, END = 12, 40, 2
LENGTHS = (3, 7, CONTEXT, 5)  # of the texts, with their end
CASES = {
    # width, layers, heads, mlp width, activation, layer scale, features, pooling
    "gelu": (96, 3, 2, 144, nn.GELU, None, 40, "argmax"),
    "layer_scale": (64, 2, 2, 320, nn.GELU, 0.1, 32, "argmax"),
    "eos": (64, 2, 4, 256, QuickGELU, None, 24, "eos"),
}


def randomise(module):
    """Nothing at its start of 0 or 1, so that an error anywhere shows."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))


def token_rows(end, padding):
    rows = torch.full((len(LENGTHS), CONTEXT), padding)
    for row, length in zip(rows, LENGTHS):
        row[:length - 1] = torch.randint(END + 1, VOCABULARY - 1, (length - 1,))
        row[length - 1] = end
    return rows


def case(width, layers, heads, mlp_width, activation, layer_scale, output, pooling):
    model = TextTransformer(CONTEXT, VOCABULARY, width, heads, layers, mlp_width / width, layer_scale, output, eos_id=END,
                            pool_type=pooling, act_layer=activation)
    randomise(model)
    result = {f"weights.{name}": value.clone() for name, value in model.state_dict().items()}
    tokens = token_rows(END, END) if pooling == "eos" else token_rows(VOCABULARY - 1, 0)
    features = model(tokens)
    upstream = torch.randn_like(features)
    (features * upstream).sum().backward()
    result |= dict(tokens=tokens, features=features, upstream=upstream)
    return result | {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}


def main():
    torch.manual_seed(17)
    for name, sizes in CASES.items():
        tensors = {key: value.detach().contiguous() for key, value in case(*sizes).items()}
        save_file(tensors, str(Path(sys.argv[1]) / f"{name}.safetensors"))


main()
