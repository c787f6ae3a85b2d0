"""torchvision's RandomResizedCrop.get_params on given random numbers.

A case an argument: WIDTH:HEIGHT:LOW,HIGH (area):LOW,HIGH (aspect):U,U,... (numbers in [0, 1), taken one after the other)
Prints a line `TRIES PLACED X Y WIDTH HEIGHT` for each; PLACED 1: a try fits, and X Y are to be drawn (0 here); 0: the centred crop.
"""

import sys
from unittest import mock

import torch
from torchvision.transforms import RandomResizedCrop


class Draw:
    """Stands for torch.empty(1)."""

    def __init__(self, numbers):
        self.numbers = numbers

    def uniform_(self, low, high):
        return torch.as_tensor(low + next(self.numbers) * (high - low), dtype=torch.float64)


def crop(case: str) -> str:
    width, height, area, aspect, uniforms = case.split(":")
    area, aspect, uniforms = ([float(number) for number in part.split(",")] for part in (area, aspect, uniforms))
    drawn = 0
    placed = False

    def numbers():
        nonlocal drawn
        for number in uniforms:
            drawn += 1
            yield number

    def place(*_arguments, **_keywords):
        nonlocal placed
        placed = True
        return torch.zeros(1, dtype=torch.int64)

    draw = Draw(numbers())
    picture = torch.empty(3, int(height), int(width))
    # As doubles: torchvision's logarithms of 32 bits would move a side that lies half way between two.
    logarithm = torch.log
    with (
        mock.patch("torch.empty", lambda _size: draw),
        mock.patch("torch.randint", place),
        mock.patch("torch.log", lambda values: logarithm(torch.tensor(aspect, dtype=torch.float64))),
    ):
        y, x, crop_height, crop_width = RandomResizedCrop.get_params(picture, area, aspect)
    return f"{drawn // 2} {int(placed)} {x} {y} {crop_width} {crop_height}"


def main() -> None:
    for case in sys.argv[1:]:
        print(crop(case))


if __name__ == "__main__":
    main()
