"""Sizes of open_clip's CLIP models, by name.

usage: architectures_reference.py
Prints {name: sizes} of every configuration that comes with open_clip and whose name begins with ViT- or RN. Of those that a
class of CLIP's own kind does not hold, the sizes are null: encoders of timm, other pooling, other tokens.
"""

import dataclasses
import json
from pathlib import Path

import open_clip
from open_clip.model import CLIPTextCfg, CLIPVisionCfg

VISION = {"layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "ls_init_value"}
TEXT = {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "ls_init_value"}


def differs(config, but_for):
    """Whether anything has another value than open_clip's default."""
    default = type(config)()
    fields = (field.name for field in dataclasses.fields(config) if field.name not in but_for)
    return any(getattr(config, name) != getattr(default, name) for name in fields)


def vision_sizes(vision):
    resnet = not isinstance(vision.layers, int)
    return dict(image_size=vision.image_size, width=vision.width, heads=vision.width * (32 if resnet else 1) // vision.head_width,
                layers=0 if resnet else vision.layers, stages=vision.layers if resnet else [],
                patch_size=0 if resnet else vision.patch_size, mlp_width=0 if resnet else int(vision.width * vision.mlp_ratio),
                layer_scale=vision.ls_init_value is not None)


def text_sizes(text):
    return dict(context_length=text.context_length, vocabulary_size=text.vocab_size, width=text.width, heads=text.heads,
                layers=text.layers, mlp_width=int(text.width * text.mlp_ratio), layer_scale=text.ls_init_value is not None)


def sizes(config):
    vision, text = CLIPVisionCfg(**config["vision_cfg"]), CLIPTextCfg(**config["text_cfg"])
    surplus = config.keys() - {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"}
    if surplus or differs(vision, VISION) or differs(text, TEXT):
        return None
    return dict(embed_dim=config["embed_dim"], activation="quick_gelu" if config.get("quick_gelu") else "gelu",
                vision=vision_sizes(vision), text=text_sizes(text))


def main():
    folder = Path(open_clip.__file__).parent / "model_configs"
    files = sorted([*folder.glob("ViT-*.json"), *folder.glob("RN*.json")])
    print(json.dumps({file.stem: sizes(json.loads(file.read_text())) for file in files}))


main()
