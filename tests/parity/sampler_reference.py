"""Test sampling of frames, stated once more from the method's description, in exact fractions.

Prints a line `n T V j: frame frame ...` for every combination of the lists given: MAX_N T,T,... V,V,...
"""

import sys
from fractions import Fraction
from math import floor


def test_frames(n: int, segments: int, clip: int, clips: int) -> list[int]:
    if segments == 1 and clips == 1:
        return [n // 2]
    if n <= segments:
        return [i * n // segments for i in range(segments)]
    tick = Fraction(n, segments)
    offset = (tick - 1) * (clip + Fraction(1, 2)) / clips
    return [floor(i * tick + offset) for i in range(segments)]


def main() -> None:
    max_n, segment_counts, clip_counts = sys.argv[1:]
    for n in range(1, int(max_n) + 1):
        for segments in map(int, segment_counts.split(",")):
            for clips in map(int, clip_counts.split(",")):
                for clip in range(clips):
                    frames = test_frames(n, segments, clip, clips)
                    print(f"{n} {segments} {clips} {clip}:", *frames)


if __name__ == "__main__":
    main()
