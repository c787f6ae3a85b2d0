#include "train/throughput.h"

#include <gtest/gtest.h>

namespace actionclip {
namespace {

TEST(Throughput, OfOneRankIsItsOwn) {
  const Throughput throughput(
      {.data_wait = {0.5}, .communication = {0}, .load = {.read = 0.25, .decode = 1.5, .transform = 0.75}},
      /*videos=*/8, /*seconds=*/2);
  const nlohmann::ordered_json data = {{"read", 0.25}, {"decode", 1.5}, {"transform", 0.75}, {"wait", 0.5}};
  EXPECT_EQ(throughput.to_json(), (nlohmann::ordered_json{{"videos_per_second", 4.0},
                                                          {"data_wait_fraction", 0.25},
                                                          {"communication_fraction", 0.0},
                                                          {"data", data}}));
  EXPECT_EQ(throughput.describe(), "4.0 videos a second, 25 % of the time waiting for data");
}

TEST(Throughput, OfSeveralRanksShowsTheOneThatTheOthersWaitFor) {
  const Throughput throughput({.data_wait = {0, 1}, .communication = {1, 0}}, 8, 2);
  const auto record = throughput.to_json();
  EXPECT_EQ(record.at("videos_per_second"), 4.0);
  EXPECT_EQ(record.at("data_wait_fraction"), 0.25);
  EXPECT_EQ(record.at("communication_fraction"), 0.25);
  EXPECT_EQ(record.at("data").at("wait"), 1.0) << "of all ranks together";
  EXPECT_EQ(record.at("ranks").at("videos_per_second"), (std::vector<double>{4, 2}));
  EXPECT_EQ(record.at("ranks").at("data_wait_fraction"), (std::vector<double>{0, 0.5}));
  EXPECT_EQ(throughput.describe(),
            "4.0 videos a second (2.0 a rank), 25 % of the time waiting for data, 25 % in communication");
}

TEST(Throughput, StaysFiniteWhereAClockSaysThatARankOnlyWaited) {
  const Throughput throughput({.data_wait = {0, 0}, .communication = {2.1, 0}}, 8, 2);
  EXPECT_EQ(throughput.to_json().at("ranks").at("communication_fraction")[0], 1.0);
  EXPECT_LT(throughput.to_json().at("ranks").at("videos_per_second")[0].get<double>(), 1e5);
}

TEST(StepTimes, AreThoseOfARankOnAverage) {
  const StepReport report{.data_wait = {0, 1}, .communication = {0.5, 0.1}, .load = {.decode = 3}};
  const auto times = step_times(report, /*seconds=*/2, /*cpu_seconds=*/5);
  EXPECT_EQ(times.whole, 2);
  EXPECT_EQ(times.cpu, 5);
  EXPECT_EQ(times.waiting, 0.5);
  EXPECT_NEAR(times.communication, 0.3, 1e-12);
  EXPECT_EQ(times.load.decode, 1.5);
}

}  // namespace
}  // namespace actionclip
