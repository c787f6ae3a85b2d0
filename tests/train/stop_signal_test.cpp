#include "actionclip/train/stop_signal.h"

#include <csignal>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(StopSignal, SigtermAndSigintAreRequestsAndEachObjectStartsWithoutOne) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const StopSignal stop;
    EXPECT_FALSE(stop.requested());
    std::raise(signal);
    EXPECT_TRUE(stop.requested());
  }
}

TEST(StopSignalDeathTest, ASecondSignalEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        const StopSignal stop;
        std::raise(SIGTERM);
        std::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignalDeathTest, AfterItsEndASignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        { const StopSignal stop; }
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace actionclip
