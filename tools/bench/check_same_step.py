"""Checks that train_step_benchmark computes what train_step.py computes: same weights and inputs, fp32, a tiny model.

usage: check_same_step.py PATH/TO/train_step_benchmark
Compares the losses of several steps, which also depend on the optimiser, and the norm of each parameter's gradient in the first
step. Exits with 1 if one deviates. Needs torch and safetensors.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

import train_step

TOLERANCE = 1e-4  # relative
OPTIONS = ["--videos=4", "--frames=3", "--steps=3", "--lr=1e-4", "--device=cpu"]


def run_python(folder, task):
    """Leaves the weights and inputs of its first step in `folder`."""
    options = train_step.parse(["--arch=tiny", f"--task={task}", *OPTIONS])
    sizes = train_step.ARCHITECTURES[options.arch]
    torch.manual_seed(1)
    model = train_step.ActionClip(sizes)
    inputs = train_step.random_inputs(options, sizes)
    inputs.label_ids = torch.tensor([0, 1, 0, 2])  # two videos of one label
    save_file(model.state_dict(), folder / "weights.safetensors")
    save_file(vars(inputs), folder / "inputs.safetensors")
    result, gradient_norms = train_step.run(options, model, inputs, resident=0)
    return result | {"gradient_norms": gradient_norms}


def deviations(ours, reference):
    """Lines that say what differs."""
    pairs = {f"loss of step {i}": (a, b) for i, (a, b) in enumerate(zip(ours["losses"], reference["losses"], strict=True))}
    names = ours["gradient_norms"].keys() | reference["gradient_norms"].keys()
    for name in sorted(names):
        pairs[f"gradient of {name}"] = tuple(side["gradient_norms"].get(name, math.nan) for side in (ours, reference))
    return [
        f"{name}: {a} here, {b} in Python"
        for name, (a, b) in pairs.items()
        if not math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-7)
    ]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failed = False
    for task in ("finetune", "prompt"):
        with tempfile.TemporaryDirectory() as name:
            reference = run_python(Path(name), task)
            command = [sys.argv[1], f"--load={name}", f"--task={task}", *OPTIONS]
            ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        found = deviations(ours, reference)
        failed |= bool(found)
        print(f"{task}: losses {ours['losses']}, in Python {reference['losses']}")
        print("\n".join(found) or f"{len(reference['gradient_norms'])} gradients agree")
    sys.exit(1 if failed else 0)


main()
