"""Times the way from video files to test clips, beside torchcodec, decord, PyAV and OpenCV: one thread each, in turns.

A clip is 8 frames of the test sampling, short side 256, centre crop 224: uint8 [8, 3, 224, 224]. The files are made for this: 10 s of
340 x 256 at 30 frames a second, H.264 as x264 encodes by default (B-frames, some referred to), a key frame at least every 12, 60 or 250
frames. Their pictures are generated, or those of VIDEO, scaled to that size and played forth and back. Each library is used in every
way that its documentation offers for such a task, and the fastest counts. All clips are checked to show the same frames.

  .cache/bench/bin/python tools/bench/compare_decoding.py [--rounds 5] [--seconds 0.5] [--from VIDEO]

The environment: third_party/requirements-bench.txt. Two minutes; nothing else should run meanwhile. The rates are clips a second of the
process's processor time. Exits with 1 if a ratio to the best of the others is below what the project asks of itself.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np

from pictures import noise_picture

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("DECODE_VIDEO_BENCHMARK", ROOT / "build/release/bin/decode_video_benchmark"))
GOPS = {12: 1.2, 60: 1.2, 250: 1.4}  # and the limits of the ratio
RATE, COUNT, WIDTH, HEIGHT = 30, 300, 340, 256
FRAMES, SIDE = 8, 224
# Of 255, the mean over a clip: rounding and the interpolation of colours stay far below, a neighbouring frame is above.
TOLERANCE = 1.5


# --- The files ---


def generated_frames():
    """A hand-held camera before a background, in front of which things move, with a cut after six seconds and a sensor's noise: coded to
    about as many bytes as Kinetics' videos of this size have (60 kB a second)."""
    random = np.random.default_rng(1)
    scenes = [noise_picture(1024, 768, 1.2, random) for _ in range(2)]
    things = [noise_picture(size, size, 1.2, random) for size in (48, 64, 96, 40)]
    phases = random.uniform(0, 2 * np.pi, (len(things), 2))
    for i in range(COUNT):
        x, y = int(400 + 60 * np.sin(i / 60) + 3 * np.sin(i / 9)), int(200 + 20 * np.sin(i / 50) + 2 * np.sin(i / 7))
        frame = scenes[i >= 6 * RATE][y : y + HEIGHT, x : x + WIDTH].astype(np.int16)
        for number, (thing, phase) in enumerate(zip(things, phases)):
            size, speed = len(thing), (1 + number) / 2
            left = int((WIDTH - size) * (1 + np.sin(phase[0] + speed * i / 30)) / 2)
            top = int((HEIGHT - size) * (1 + np.sin(phase[1] + speed * i / 41)) / 2)
            frame[top : top + size, left : left + size] = thing
        frame += random.normal(0, 1, (HEIGHT, WIDTH, 1)).round().astype(np.int16)
        yield np.clip(frame, 0, 255).astype(np.uint8)


def frames_of(video: Path):
    import av

    with av.open(video) as container:
        frames = [f.to_ndarray(width=WIDTH, height=HEIGHT, format="rgb24") for f in container.decode(video=0)]
    forth_and_back = frames + frames[::-1]
    return [forth_and_back[i % len(forth_and_back)] for i in range(COUNT)]


def write_video(path: Path, frames, gop: int) -> None:
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "yuv420p", gop
        stream.codec_context.thread_count = 1
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


# --- Their readers: file -> numpy or tensor [8, 3, 224, 224] ---


def test_frames(count: int) -> list[int]:
    return [(2 * i * count + count - FRAMES) // (2 * FRAMES) for i in range(FRAMES)]


def centre(height: int, width: int) -> tuple[slice, slice]:
    """Resizing changes nothing: the short side is 256 already."""
    top, left = round((height - SIDE) / 2), round((width - SIDE) / 2)
    return slice(top, top + SIDE), slice(left, left + SIDE)


def planes(frames) -> np.ndarray:
    """From frames [H, W, 3]."""
    rows, columns = centre(*frames[0].shape[:2])
    return np.ascontiguousarray(np.stack([frame[rows, columns] for frame in frames]).transpose(0, 3, 1, 2))


def torchcodec_clip(path: str, **options):
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, num_ffmpeg_threads=1, **options)
    clip = decoder.get_frames_at(test_frames(len(decoder))).data
    return clip[..., *centre(*clip.shape[2:])].contiguous()


def torchcodec_exact(path: str):
    return torchcodec_clip(path, seek_mode="exact")


def torchcodec_approximate(path: str):
    return torchcodec_clip(path, seek_mode="approximate")


def torchcodec_cropping(path: str):
    from torchcodec.transforms import CenterCrop

    return torchcodec_clip(path, seek_mode="approximate", transforms=[CenterCrop((SIDE, SIDE))])


def decord_clip(path: str):
    import decord

    reader = decord.VideoReader(path, num_threads=1)
    return planes(reader.get_batch(test_frames(len(reader))).asnumpy())


def pyav_in_sequence(path: str):
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        wanted, frames = test_frames(stream.frames), []
        for i, frame in enumerate(container.decode(stream)):
            if i == wanted[len(frames)]:
                frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) == len(wanted):
                    return planes(frames)
    raise ValueError(f"{path} ends early")


def pyav_seeking(path: str):
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        ticks = 1 / (stream.average_rate * stream.time_base)
        frames = []
        for index in test_frames(stream.frames):
            time_stamp = round(index * ticks) + (stream.start_time or 0)
            container.seek(time_stamp, stream=stream)
            frames.append(next(f for f in container.decode(stream) if f.pts >= time_stamp).to_ndarray(format="rgb24"))
        return planes(frames)


def opencv_open(path: str):
    import cv2

    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    return capture, test_frames(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))


def opencv_rgb(capture) -> np.ndarray:
    import cv2

    good, frame = capture.retrieve()
    if not good:
        raise ValueError("OpenCV gives no frame")
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def opencv_in_sequence(path: str):
    capture, wanted = opencv_open(path)
    frames = []
    for i in range(wanted[-1] + 1):
        capture.grab()
        if i == wanted[len(frames)]:
            frames.append(opencv_rgb(capture))
    return planes(frames)


def opencv_seeking(path: str):
    import cv2

    capture, wanted = opencv_open(path)
    frames = []
    for index in wanted:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        capture.grab()
        frames.append(opencv_rgb(capture))
    return planes(frames)


READERS = {
    "torchcodec": (torchcodec_exact, torchcodec_approximate, torchcodec_cropping),
    "decord": (decord_clip,),
    "PyAV": (pyav_in_sequence, pyav_seeking),
    "OpenCV": (opencv_in_sequence, opencv_seeking),
}


# --- Measuring ---


def their_rate(reader, path: str, seconds: float) -> float:
    reader(path)
    clips, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        reader(path)
        clips += 1
    return clips / spent


def their_clip(reader, path: str) -> np.ndarray:
    return np.asarray(reader(path))


def our_result(path: Path, seconds: float, save: Path | None = None) -> dict:
    command = [PROGRAM, f"--seconds={seconds}", f"--frames={FRAMES}", path] + ([f"--save={save}"] if save else [])
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def check_clips(pools: dict, path: Path) -> None:
    """That all readers give the frames that actionclip gives."""
    saved = path.with_suffix(".clip")
    our_result(path, 0.01, saved)
    ours = np.fromfile(saved, np.uint8).reshape(FRAMES, 3, SIDE, SIDE).astype(np.int16)
    for library, readers in READERS.items():
        for reader in readers:
            clip = pools[library].submit(their_clip, reader, str(path)).result()
            worst = np.abs(clip - ours).mean(axis=(1, 2, 3)).max()
            if clip.shape != ours.shape or worst > TOLERANCE:
                sys.exit(f"{reader.__name__} gives other frames of {path.name} than actionclip: {worst:.1f} of 255 apart")


def measure(pools: dict, videos: dict, rounds: int, seconds: float) -> tuple[dict, dict]:
    """Rates of (gop, reader's name), one a round, and actionclip's last result by gop."""
    rates, ours = {}, {}
    for number in range(rounds):
        for gop, path in videos.items():
            ours[gop] = our_result(path, seconds)
            rates.setdefault((gop, "actionclip"), []).append(ours[gop]["clips_per_processor_second"])
            for library, readers in READERS.items():
                for reader in readers:
                    rate = pools[library].submit(their_rate, reader, str(path), seconds).result()
                    rates.setdefault((gop, reader.__name__), []).append(rate)
        if sys.stderr.isatty():
            print(f"round {number + 1} of {rounds}", end="\r", file=sys.stderr)
    return rates, ours


def report(rates: dict, ours: dict, videos: dict) -> bool:
    """Prints the tables; whether all ratios are what they should be."""
    fine = True
    names = ["actionclip"] + [reader.__name__ for readers in READERS.values() for reader in readers]
    print(f"{'clips a second':<24}" + "".join(f"{f'GOP {gop}':>10}" for gop in GOPS))
    for name in names:
        print(f"{name:<24}" + "".join(f"{statistics.median(rates[gop, name]):10.1f}" for gop in GOPS))
    print()
    for gop, limit in GOPS.items():
        best = max(names[1:], key=lambda name: statistics.median(rates[gop, name]))
        ratios = [own / other for own, other in zip(rates[gop, "actionclip"], rates[gop, best])]
        ratio = statistics.median(ratios)
        fine = fine and ratio >= limit
        shares = ", ".join(f"{step} {share:.0%}" for step, share in ours[gop]["shares"].items() if share >= 0.005)
        print(f"GOP {gop}: {ratio:.2f} times {best} ({min(ratios):.2f} to {max(ratios):.2f}; at least {limit} is asked for); "
              f"{ours[gop]['packets_decoded']:.0f} of {COUNT} packets decoded, file of {videos[gop].stat().st_size} bytes")
        print(f"  actionclip's time: {shares}")
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of the processor, for each measurement")
    parser.add_argument("--from", type=Path, dest="source", metavar="VIDEO", help="whose pictures the files show; else generated ones")
    options = parser.parse_args()
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is not built: scripts/build.sh release")
    os.environ["OMP_NUM_THREADS"] = "1"  # for torch
    spawn = multiprocessing.get_context("spawn")
    # A process each: most bring an FFmpeg of their own.
    pools = {library: ProcessPoolExecutor(1, spawn) for library in READERS}
    with tempfile.TemporaryDirectory() as folder:
        videos = {gop: Path(folder) / f"gop_{gop}.mp4" for gop in GOPS}
        frames = list(frames_of(options.source) if options.source else generated_frames())
        for gop, path in videos.items():
            write_video(path, frames, gop)
            check_clips(pools, path)
        rates, ours = measure(pools, videos, options.rounds, options.seconds)
        fine = report(rates, ours, videos)
    for pool in pools.values():
        pool.shutdown()
    sys.exit(not fine)


if __name__ == "__main__":
    main()
