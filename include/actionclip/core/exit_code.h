// What the program returns to its caller.
#pragma once

namespace actionclip {

constexpr int kExitDone = 0;
constexpr int kExitError = 1;       // or one of several inputs failed
constexpr int kExitUsage = 2;       // bad arguments or overrides
constexpr int kExitResumable = 75;  // stopped by a signal, after saving: the same run can go on

}  // namespace actionclip
