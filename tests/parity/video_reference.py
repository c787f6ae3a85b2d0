"""The frames of a video file as PyAV decodes and converts them, turned upright.

    video_reference.py VIDEO FRAMES

writes every frame's RGB bytes, one after the other, to FRAMES and prints `count height width`.
"""

import sys

import av
import numpy as np


def main(video: str, frames: str) -> None:
    count, shape = 0, (0, 0, 3)
    with av.open(video) as container, open(frames, "wb") as file:
        for frame in container.decode(video=0):
            image = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)  # both anticlockwise
            file.write(np.ascontiguousarray(image).tobytes())
            count, shape = count + 1, image.shape
    print(count, shape[0], shape[1])


main(*sys.argv[1:])
