// Collects the findings of one configuration file, so that all of them are reported at once.
// A settings struct that has rules beyond its types declares   void check(ConfigChecker& checker) const;
// the reader calls it after the struct's own fields were read.
#pragma once

#include <string>
#include <string_view>

namespace actionclip {

class ConfigChecker {
 public:
  virtual ~ConfigChecker() = default;

  // Adds a finding about the member named `key` of the struct being checked; "optimizer.beta1" leads into a
  // member that is a struct, "" is the struct itself. Dropped if the member's value could not be read.
  virtual void error(std::string_view key, const std::string& message) = 0;

  // The same for what may be meant so, as a setting that others leave without effect: it is logged, and the
  // value stands.
  virtual void warning(std::string_view key, const std::string& message) = 0;

  void at_least(std::string_view key, double value, double minimum);
  void greater_than(std::string_view key, double value, double bound);
  void in_range(std::string_view key, double value, double minimum, double maximum);  // both ends included
};

}  // namespace actionclip
