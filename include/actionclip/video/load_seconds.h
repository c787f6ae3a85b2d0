// What clips cost the threads that made them. Torch-free.
#pragma once

namespace actionclip {

// Seconds, of all threads together.
struct LoadSeconds {
  double read = 0;       // opening files and taking bytes from them
  double decode = 0;     // bytes to frames in RGB
  double transform = 0;  // frames to clips: augmentation, crops, resizing

  double total() const { return read + decode + transform; }

  LoadSeconds& operator+=(const LoadSeconds& other) {
    read += other.read;
    decode += other.decode;
    transform += other.transform;
    return *this;
  }
};

}  // namespace actionclip
