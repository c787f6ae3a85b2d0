"""Writes the frames of a video to standard output, as PyAV converts them: RGB, 8 bits, row by row.

usage: video_reference.py VIDEO
"""

import sys

import av


def main() -> None:
    with av.open(sys.argv[1]) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            sys.stdout.buffer.write(frame.to_ndarray(format="rgb24").tobytes())


if __name__ == "__main__":
    main()
