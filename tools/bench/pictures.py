"""Pictures for the benchmarks."""

import numpy as np


def noise_picture(width: int, height: int, smoothness: float, random: np.random.Generator) -> np.ndarray:
    """Noise with a spectrum of 1 / frequency ** smoothness (about that of photographs at 1 to 2) and mostly grey, as they are: periodic,
    uint8 [height, width, 3]."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(random.standard_normal((height, width))) / (frequency + 1 / width) ** smoothness
        plane = np.fft.irfft2(spectrum, (height, width))
        planes.append((plane - plane.mean()) / plane.std())
    pixels = np.stack(planes, axis=2)
    grey = pixels.mean(axis=2, keepdims=True)
    return np.clip(128 + 55 * (grey + 0.4 * (pixels - grey)), 0, 255).astype(np.uint8)
