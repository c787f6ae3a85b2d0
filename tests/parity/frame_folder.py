"""A folder of JPEG frames, img_00001.jpg and so on, of random colours.

usage: frame_folder.py OUT_FOLDER COUNT
"""

import random
import sys
from pathlib import Path

from PIL import Image

out = Path(sys.argv[1])
out.mkdir(parents=True)
random.seed(2)
for number in range(1, int(sys.argv[2]) + 1):
    Image.new("RGB", (90, 70), tuple(random.randrange(256) for _ in range(3))).save(out / f"img_{number:05d}.jpg")
