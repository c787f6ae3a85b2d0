"""Learning-rate factors, restated from the method's description: prints one per epoch asked for.

usage: schedule_reference.py SETTINGS   (JSON: kind, warmup_epochs, epochs, milestones, gamma, at)
"""
import json
import math
import sys


def factor(settings, epoch):
    warmup = settings["warmup_epochs"]
    ramp = min(epoch / warmup, 1.0) if warmup > 0 else 1.0
    if settings["kind"] == "multistep":
        result = ramp
        for milestone in settings["milestones"]:
            if epoch >= milestone:
                result *= settings["gamma"]
        return result
    if epoch < warmup:
        return ramp
    remaining = settings["epochs"] - warmup
    angle = math.pi * min((epoch - warmup) / remaining, 1.0)
    return math.cos(angle / 2) ** 2  # = (1 + cos(angle)) / 2


settings = json.loads(sys.argv[1])
print(json.dumps([factor(settings, epoch) for epoch in settings["at"]]))
