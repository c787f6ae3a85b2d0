"""Times frame folders, from JPEG files to the planes of a test clip, beside Pillow and torchvision.

8 frames are read, their short side is resized to 256 (bicubic), and the centre of 224 x 224 is taken, uint8 [8, 3, 224, 224]; one
thread each, in turns, so that slow spells of the machine meet both. The files are made for this and lie in the page cache.

  .venv/bin/python tools/bench/frame_folder.py [ROUNDS]      5; half a minute, nothing else should run meanwhile

Exits with 1 if a ratio is below what the project asks of itself: 2 at 340 x 256, 3 at a short side of 512.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, PILToTensor, Resize

from pictures import noise_picture

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("TRANSFORM_FRAMES_BENCHMARK", ROOT / "build/release/bin/transform_frames_benchmark"))
SIZES = {"340x256": 2.0, "682x512": 3.0}  # and the limits of the ratio
FRAMES = 8
TRANSFORM = Compose([Resize(256, interpolation=InterpolationMode.BICUBIC), CenterCrop(224), PILToTensor()])


def write_frames(folder: Path, width: int, height: int) -> None:
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(1, FRAMES + 1):
        # Smooth enough to take 20 kB at 340 x 256, about what photographs do.
        Image.fromarray(noise_picture(width, height, 1.8, random)).save(folder / f"img_{number:05d}.jpg", quality=90)


def pillow_clip(files: list[Path]) -> torch.Tensor:
    return torch.stack([TRANSFORM(Image.open(file).convert("RGB")) for file in files])


def pillow_seconds(folder: Path) -> float:
    """Processor time of a clip, the mean over half a second."""
    files = sorted(folder.iterdir())
    pillow_clip(files)
    clips, start = 0, time.process_time()
    while time.process_time() - start < 0.5:
        pillow_clip(files)
        clips += 1
    return (time.process_time() - start) / clips


def our_seconds(folder: Path) -> float:
    result = subprocess.run(
        [PROGRAM, f"--benchmark_filter=^folder/{folder.name}$", "--benchmark_min_time=0.5", "--benchmark_format=json", folder],
        check=True, capture_output=True, text=True)
    benchmark = json.loads(result.stdout)["benchmarks"][0]
    return benchmark["cpu_time"] / {"ns": 1e9, "us": 1e6, "ms": 1e3}[benchmark["time_unit"]]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is not built: scripts/build.sh release")
    torch.set_num_threads(1)
    fine = True
    print(f"{'frames':>8}  {'bytes':>7}  {'Pillow [ms]':>11}  {'ours [ms]':>9}  {'ratio':>5}  limit")
    with tempfile.TemporaryDirectory() as folder:
        for name, limit in SIZES.items():
            frames = Path(folder) / name
            write_frames(frames, *map(int, name.split("x")))
            times = [(pillow_seconds(frames), our_seconds(frames)) for _ in range(rounds)]
            pillow, ours = (statistics.median(column) for column in zip(*times))
            ratio = statistics.median(theirs / own for theirs, own in times)
            size = statistics.mean(file.stat().st_size for file in frames.iterdir())
            print(f"{name:>8}  {size:7.0f}  {1e3 * pillow:11.2f}  {1e3 * ours:9.2f}  {ratio:5.2f}  {limit:5.1f}")
            fine = fine and ratio >= limit
    print(f"Medians of {rounds} rounds, a clip of {FRAMES} frames; the ratio is the median of the rounds'.")
    sys.exit(not fine)


if __name__ == "__main__":
    main()
