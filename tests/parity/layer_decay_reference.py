"""Learning-rate ratios that decay with depth, as BEiT's fine-tuning assigns them: a table of values over layer ids.

usage: layer_decay_reference.py REQUEST   {"names": [...], "decay": d, "image": [blocks of each stage], "text": blocks}
Prints {name: ratio of its encoder's rate}; a vision transformer is an encoder of one stage.
"""

import json
import re
import sys


def table(layers, decay):
    """Values for the ids 0 (embeddings), 1 ... layers (blocks), layers + 1 (what follows)."""
    return [decay ** (layers + 1 - layer_id) for layer_id in range(layers + 2)]


def image_id(name, stages):
    block = re.match(r"visual\.transformer\.resblocks\.(\d+)\.", name)
    if block:
        return 1 + int(block[1])
    block = re.match(r"visual\.layer(\d)\.(\d+)\.", name)
    if block:
        return 1 + sum(stages[: int(block[1]) - 1]) + int(block[2])
    behind = name.split(".")[1] in ("ln_post", "proj", "attnpool")
    return sum(stages) + 1 if behind else 0


def text_id(name, layers):
    block = re.match(r"transformer\.resblocks\.(\d+)\.", name)
    if block:
        return 1 + int(block[1])
    return 0 if name in ("token_embedding.weight", "positional_embedding") else layers + 1


def main():
    request = json.loads(sys.argv[1])
    stages, text_layers = request["image"], request["text"]
    image, text = table(sum(stages), request["decay"]), table(text_layers, request["decay"])
    ratios = {}
    for name in request["names"]:
        if name.startswith("visual."):
            ratios[name] = image[image_id(name, stages)]
        else:
            ratios[name] = text[text_id(name, text_layers)]
    print(json.dumps(ratios))


main()
