#include "actionclip/train/stop_signal.h"

#include <csignal>
#include <unistd.h>

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(StopSignal, EachSignalIsARequestAndEachObjectStartsWithoutOne) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    const StopSignal stop;
    EXPECT_FALSE(stop.requested());
    std::raise(signal);
    EXPECT_TRUE(stop.requested());
  }
}

TEST(StopSignal, OneWithinAnotherSharesItsRequestAndItsHandlers) {
  const StopSignal outer;
  {
    const StopSignal inner;
    std::raise(SIGTERM);
    EXPECT_TRUE(inner.requested());
  }
  EXPECT_TRUE(outer.requested());
  const StopSignal next;
  EXPECT_TRUE(next.requested()) << "of the outer one";
}

TEST(StopSignal, TheEndOfAnInnerOneLeavesTheHandlersOfTheOuterOne) {
  const StopSignal outer;
  { const StopSignal inner; }
  std::raise(SIGTERM);
  EXPECT_TRUE(outer.requested());
}

TEST(StopSignal, TheFormerHandlersAreBackAtItsEnd) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    const auto before = std::signal(signal, SIG_IGN);
    { const StopSignal stop; }
    EXPECT_EQ(std::signal(signal, before), SIG_IGN) << signal;
  }
}

TEST(StopSignal, SignalsThatFollowAtOnceChangeNothing) {
  const StopSignal stop;
  for (const int signal : {SIGUSR1, SIGTERM, SIGTERM, SIGINT, SIGINT}) std::raise(signal);
  EXPECT_TRUE(stop.requested());
}

TEST(StopSignalDeathTest, ASecondInterruptAfterAWhileEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        const StopSignal stop;
        std::raise(SIGINT);
        sleep(3);
        std::raise(SIGTERM);  // not this one
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
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
