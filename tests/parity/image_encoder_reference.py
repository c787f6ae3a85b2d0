"""Random image encoders of open_clip: outputs, gradients, batch statistics, and its interpolation of positions.

usage: image_encoder_reference.py vit|resnet|RN101|RN50x4|positions OUT_FOLDER
all but positions: OUT/CASE.safetensors for each case, with `weights.*` (parameters and buffers), `images`, `features` (evaluation)
and, but for the large cases, `upstream` and `grad.*`: the gradients of (features * upstream).sum(). Of a ResNet these are those
of a training step, whose `trained.features` and `after.*` (running statistics behind it) are there too.
positions: OUT/positions.safetensors with `OLD.NEW.from` and `OLD.NEW.to` for pairs of grids, `time.OLD.NEW.from` and
`time.OLD.NEW.to` for pairs of frame counts.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from open_clip.model import resize_pos_embed
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import QuickGELU, VisionTransformer
from safetensors.torch import save_file
from torch import nn

VITS = {
    # image size, patch, width, layers, heads, mlp width, activation, layer scale, features, gradients
    "quick_gelu": (48, 16, 64, 3, 4, 256, QuickGELU, None, 24, True),
    "gelu": (48, 16, 96, 3, 2, 144, nn.GELU, None, 40, True),
    "layer_scale": (32, 8, 64, 2, 2, 256, nn.GELU, 0.1, 32, True),
    "ViT-L/14": (224, 14, 1024, 2, 16, 4096, QuickGELU, None, 768, False),
    "ViT-L/14@336px": (336, 14, 1024, 2, 16, 4096, QuickGELU, None, 768, False),
}
RESNETS = {
    # stages, stem width, heads, features, image size, gradients
    "small": ([1, 1, 1, 1], 16, 8, 24, 64, True),
    "uneven": ([1, 2, 1, 2], 16, 4, 40, 64, True),
    "RN50": ([3, 4, 6, 3], 64, 32, 1024, 64, False),
}
# Too large to be made together with others; at the smallest image that their stride allows.
LARGE_RESNETS = {
    "RN101": ([3, 4, 23, 3], 64, 32, 512, 32, False),
    "RN50x4": ([4, 6, 10, 6], 80, 40, 640, 32, False),
}
GRIDS = [(2, 3), (3, 3), (7, 12), (12, 7), (16, 24), (24, 5), (1, 4)]
FRAMES = [(8, 16), (16, 8), (5, 5), (1, 4), (4, 1)]


def randomise(module):
    """Nothing at its start of 0 or 1, so that an error anywhere shows."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.1 * torch.randn_like(buffer))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand_like(buffer))
            else:
                buffer.fill_(7)


def gradients(module, features, case):
    case["upstream"] = torch.randn_like(features)
    (features * case["upstream"]).sum().backward()
    case |= {f"grad.{name}": parameter.grad for name, parameter in module.named_parameters()}
    return case


def vit_case(image, patch, width, layers, heads, mlp_width, activation, layer_scale, output, with_gradients):
    model = VisionTransformer(image, patch, width, layers, heads, mlp_width / width, ls_init_value=layer_scale,
                              output_dim=output, act_layer=activation)
    randomise(model)
    case = {f"weights.{name}": value.clone() for name, value in model.state_dict().items()}
    case["images"] = torch.randn(2 if with_gradients else 1, 3, image, image)
    features = model(case["images"])
    case["features"] = features
    return gradients(model, features, case) if with_gradients else case


def resnet_case(stages, width, heads, output, image, with_gradients, images=4):
    model = ModifiedResNet(stages, output, heads, image, width)
    randomise(model)
    case = {f"weights.{name}": value.clone() for name, value in model.state_dict().items()}
    case["images"] = torch.randn(images, 3, image, image)
    with torch.no_grad():
        case["features"] = model.eval()(case["images"])
    if not with_gradients:
        return case
    case["trained.features"] = model.train()(case["images"])
    case = gradients(model, case["trained.features"], case)
    return case | {f"after.{name}": buffer.clone() for name, buffer in model.named_buffers()}


def positions():
    case = {}
    for old, new in GRIDS:
        source = torch.randn(1 + old * old, 5)
        state = {"visual.positional_embedding": source}
        resize_pos_embed(state, SimpleNamespace(visual=SimpleNamespace(grid_size=(new, new))))
        case |= {f"{old}.{new}.from": source, f"{old}.{new}.to": state["visual.positional_embedding"].clone()}
    for old, new in FRAMES:
        source = torch.randn(old, 5)
        resized = F.interpolate(source.t()[None], size=new, mode="linear", align_corners=False)[0].t()
        case |= {f"time.{old}.{new}.from": source, f"time.{old}.{new}.to": resized}
    return {"positions": case}


def main():
    part, out = sys.argv[1], Path(sys.argv[2])
    torch.manual_seed(11)
    if part == "vit":
        cases = {name: vit_case(*sizes) for name, sizes in VITS.items()}
    elif part == "resnet":
        cases = {name: resnet_case(*sizes) for name, sizes in RESNETS.items()}
    elif part in LARGE_RESNETS:
        cases = {part: resnet_case(*LARGE_RESNETS[part], images=1)}
    else:
        cases = positions()
    for name, case in cases.items():
        tensors = {key: value.detach().contiguous() for key, value in case.items()}
        save_file(tensors, str(out / f"{name.replace('/', '_')}.safetensors"))


main()
