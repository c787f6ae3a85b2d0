"""torchvision's operations on pictures, and RandAugment's table of magnitudes, for comparison.

Arguments: FOLDER, then a case an argument: OPERATION:PICTURE:WxH[:NUMBER...]. The picture is FOLDER/PICTURE.rgb, rows of RGB
triples; the i-th case's result is written to FOLDER/i.out in the same form. OPERATION is a key of OPERATIONS, or
rand_augment/NAME, torchvision's RandAugment operation NAME at the magnitude NUMBER.
Or: --magnitudes W H: prints a line `NAME SIGNED VALUE...` for each of RandAugment's operations, VALUE the 31 steps.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op


def affine(picture: torch.Tensor, angle: float = 0, dx: float = 0, dy: float = 0) -> torch.Tensor:
    return F.affine(picture, angle=angle, translate=[int(dx), int(dy)], scale=1.0, shear=[0.0, 0.0])


def blur(picture: torch.Tensor, sigma: float) -> torch.Tensor:
    radius = int(np.ceil(3 * sigma))
    return F.gaussian_blur(picture, [2 * radius + 1, 2 * radius + 1], [sigma, sigma])


def erase(picture: torch.Tensor, x: float, y: float, width: float, height: float, *color: float) -> torch.Tensor:
    value = torch.tensor(color, dtype=torch.uint8).view(3, 1, 1)
    return F.erase(picture, int(y), int(x), int(height), int(width), value)


OPERATIONS = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "sharpness": F.adjust_sharpness,
    "grayscale": lambda picture: F.rgb_to_grayscale(picture, num_output_channels=3),
    "blur": blur,
    "invert": F.invert,
    "solarize": F.solarize,
    "posterize": lambda picture, bits: F.posterize(picture, int(bits)),
    "autocontrast": F.autocontrast,
    "equalize": F.equalize,
    "translate": lambda picture, dx, dy: affine(picture, dx=dx, dy=dy),
    "rotate": F.rotate,
    "erase": erase,
}


def result(operation: str, picture: torch.Tensor, numbers: list[float]) -> torch.Tensor:
    if operation.startswith("rand_augment/"):
        name = operation.removeprefix("rand_augment/")
        return _apply_op(picture, name, numbers[0], InterpolationMode.NEAREST, fill=None)
    return OPERATIONS[operation](picture, *numbers)


def print_magnitudes(width: int, height: int) -> None:
    for name, (values, signed) in RandAugment()._augmentation_space(31, (height, width)).items():
        print(name, int(signed), *np.broadcast_to(values.numpy(), 31))


def main() -> None:
    if sys.argv[1] == "--magnitudes":
        print_magnitudes(int(sys.argv[2]), int(sys.argv[3]))
        return
    folder = Path(sys.argv[1])
    for i, case in enumerate(sys.argv[2:]):
        operation, name, size, *numbers = case.split(":")
        width, height = map(int, size.split("x"))
        rows = np.fromfile(folder / f"{name}.rgb", dtype=np.uint8).reshape(height, width, 3)
        picture = torch.from_numpy(rows).permute(2, 0, 1).contiguous()
        planes = result(operation, picture, [float(number) for number in numbers])
        (folder / f"{i}.out").write_bytes(planes.permute(1, 2, 0).contiguous().numpy().tobytes())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
