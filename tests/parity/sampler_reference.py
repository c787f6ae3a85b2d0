"""Test sampling of frames, stated once more from its descriptions, in exact fractions.

Prints a line `STRATEGY n T V j: frame frame ...` for every combination of the lists given: MAX_N T,T,... V,V,... STRIDE
"""

import sys
from fractions import Fraction
from math import floor


def segment(n: int, frames: int, clip: int, clips: int, _stride: int) -> list[int]:
    if frames == 1 and clips == 1:
        return [n // 2]
    if n <= frames:
        return [i * n // frames for i in range(frames)]
    tick = Fraction(n, frames)
    offset = (tick - 1) * (clip + Fraction(1, 2)) / clips
    return [floor(i * tick + offset) for i in range(frames)]


def dense(n: int, frames: int, clip: int, clips: int, stride: int) -> list[int]:
    """mmaction2's SampleFrames(clip_len, frame_interval, num_clips, out_of_bound_opt='repeat_last') in a test."""
    span = (frames - 1) * stride + 1
    room = max(n - span, 0)
    start = round(clip * Fraction(room, clips - 1)) if clips > 1 else room // 2
    return [min(start + i * stride, n - 1) for i in range(frames)]


def uniform(n: int, frames: int, clip: int, clips: int, _stride: int) -> list[int]:
    """numpy.linspace(0, n - 1, T * V), rounded down, of which each clip gets every V-th."""
    if frames == 1 and clips == 1:
        return [n // 2]
    points = [floor(Fraction(i * (n - 1), frames * clips - 1)) for i in range(frames * clips)]
    return points[clip::clips]


def main() -> None:
    max_n, frame_counts, clip_counts, stride = sys.argv[1:]
    for strategy in (segment, dense, uniform):
        for n in range(1, int(max_n) + 1):
            for frames in map(int, frame_counts.split(",")):
                for clips in map(int, clip_counts.split(",")):
                    for clip in range(clips):
                        chosen = strategy(n, frames, clip, clips, int(stride))
                        print(f"{strategy.__name__} {n} {frames} {clips} {clip}:", *chosen)


if __name__ == "__main__":
    main()
