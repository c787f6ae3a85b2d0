"""Ten steps of torch.optim's plain (not fused) optimisers on random parameters and gradients, as one safetensors file:
initial.NAME, gradient.STEP.NAME (left out where there is none), parameter.STEP.NAME after the step, state.SLOT.NAME at the end.

usage: optimizer_reference.py adamw|adam|sgd MOMENTUM OUTPUT
"""
import sys

import torch
from safetensors.torch import save_file

kind, momentum, output = sys.argv[1], float(sys.argv[2]), sys.argv[3]
generator = torch.Generator().manual_seed(3)
shapes = {"visual.proj": (37, 5), "logit_scale": (), "fusion.weight": (4, 3, 2), "fusion.bias": (129,)}
parameters = {
    name: torch.nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in shapes.items()
}
groups = [
    {"params": [parameters["visual.proj"], parameters["logit_scale"]], "ratio": 1.0, "weight_decay": 0.2},
    {"params": [parameters["fusion.weight"], parameters["fusion.bias"]], "ratio": 10.0, "weight_decay": 0.0},
]
if kind == "sgd":
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=momentum, foreach=False, fused=False)
else:
    make = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[kind]
    optimizer = make(groups, lr=1.0, betas=(0.9, 0.98), eps=1e-8, foreach=False, fused=False)

tensors = {f"initial.{name}": p.detach().clone() for name, p in parameters.items()}
for step in range(10):
    for group in optimizer.param_groups:
        group["lr"] = 1e-3 * (step + 1) * group["ratio"]
    for name, parameter in parameters.items():
        if name == "fusion.bias" and step in (0, 4):
            parameter.grad = None
            continue
        parameter.grad = torch.randn(parameter.shape, generator=generator) * 10.0 ** (step % 3)
        tensors[f"gradient.{step}.{name}"] = parameter.grad.clone()
    optimizer.step()
    for name, parameter in parameters.items():
        tensors[f"parameter.{step}.{name}"] = parameter.detach().clone()
for name, parameter in parameters.items():
    for slot, value in optimizer.state[parameter].items():
        if value is not None:
            tensors[f"state.{slot}.{name}"] = torch.as_tensor(value).clone()
save_file(tensors, output)
