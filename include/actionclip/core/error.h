// Errors of the library. A message says what happened, where (file:line, key, tensor name, shapes) and what
// to do, in one line; the program prints it and exits 1 (2 for UsageError).
#pragma once

#include <stdexcept>
#include <string>

namespace actionclip {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Arguments of the command line that cannot be used: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// A configuration file that does not fit the schema; the message may hold several lines, one a finding.
class ConfigError : public Error {
 public:
  using Error::Error;
};

// Weights that are damaged or do not fit the model.
class WeightsError : public Error {
 public:
  using Error::Error;
};

// A video, frame folder or image that cannot be decoded. The loader counts these instead of stopping.
class VideoError : public Error {
 public:
  using Error::Error;
};

}  // namespace actionclip
