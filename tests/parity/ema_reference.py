"""Steps of training and the running average of the weights by torch's AveragedModel, whose rule for one step is given here.

usage: ema_reference.py DECAY OUTPUT
Writes a safetensors file: initial.NAME, and behind each step value.STEP.NAME (parameters and running statistics) and
average.STEP.NAME.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

STEPS = 6


def main():
    decay = float(sys.argv[1])
    torch.manual_seed(8)
    model = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Linear(7, 3))

    def rule(average, value, count):
        t = int(count) - 1  # the copy that it begins with counts as one
        d = min(decay, (1 + t) / (10 + t))
        return d * average + (1 - d) * value

    def floating(prefix, module):
        return {f"{prefix}.{name}": value.detach().clone() for name, value in module.state_dict().items()
                if value.is_floating_point()}

    average = AveragedModel(model, avg_fn=rule, use_buffers=True)
    average.update_parameters(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    tensors = floating("initial", model)
    for step in range(STEPS):
        optimizer.zero_grad()
        model(torch.randn(16, 5)).pow(2).mean().backward()
        optimizer.step()
        average.update_parameters(model)
        tensors |= floating(f"value.{step}", model) | floating(f"average.{step}", average.module)
    save_file(tensors, sys.argv[2])


main()
