#include "actionclip/train/schedule.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/core/error.h"

#include "tests/parity/run_python.h"

namespace actionclip {
namespace {

ScheduleConfig cosine(double warmup_epochs) {
  ScheduleConfig config;
  config.warmup_epochs = warmup_epochs;
  return config;
}

ScheduleConfig multistep(double warmup_epochs, std::vector<double> milestones, double gamma) {
  ScheduleConfig config;
  config.kind = ScheduleKind::multistep;
  config.warmup_epochs = warmup_epochs;
  config.milestones = std::move(milestones);
  config.gamma = gamma;
  return config;
}

void expect_reference_agrees(const ScheduleConfig& config, double epochs) {
  std::vector<double> at;
  for (int i = 0; i <= 128; ++i) at.push_back(epochs * i / 120);  // beyond the end too
  at.insert(at.end(), config.milestones.begin(), config.milestones.end());
  const nlohmann::json settings = {{"kind", config.kind == ScheduleKind::cosine ? "cosine" : "multistep"},
                                   {"warmup_epochs", config.warmup_epochs},
                                   {"epochs", epochs},
                                   {"milestones", config.milestones},
                                   {"gamma", config.gamma},
                                   {"at", at}};
  const auto expected = nlohmann::json::parse(run_python("schedule_reference.py", {settings.dump()}));
  const auto schedule = make_schedule(config, epochs);
  ASSERT_EQ(expected.size(), at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    EXPECT_NEAR(schedule->factor(at[i]), expected[i].get<double>(), 1e-15) << "at epoch " << at[i];
  }
}

TEST(Schedule, CosineAgreesWithTheReference) {
  expect_reference_agrees(cosine(5), 50);
  expect_reference_agrees(cosine(0), 3);
  expect_reference_agrees(cosine(0.5), 1);
}

TEST(Schedule, MultistepAgreesWithTheReference) {
  expect_reference_agrees(multistep(5, {3, 20, 40.5}, 0.1), 50);
  expect_reference_agrees(multistep(0, {}, 0.5), 4);
}

TEST(Schedule, CosineStartsAtZeroPeaksAfterTheWarmUpAndEndsAtZero) {
  const auto schedule = make_schedule(cosine(5), 50);
  EXPECT_EQ(schedule->factor(0), 0);
  EXPECT_EQ(schedule->factor(2.5), 0.5);
  EXPECT_EQ(schedule->factor(5), 1);
  EXPECT_NEAR(schedule->factor(27.5), 0.5, 1e-15);
  EXPECT_EQ(schedule->factor(50), 0);
  EXPECT_EQ(schedule->factor(60), 0);
}

TEST(Schedule, WithoutWarmUpTheFirstStepHasTheFullRate) {
  EXPECT_EQ(make_schedule(cosine(0), 10)->factor(0), 1);
}

TEST(Schedule, AMilestoneCountsFromItsOwnEpochOn) {
  const auto schedule = make_schedule(multistep(0, {2}, 0.5), 4);
  EXPECT_EQ(schedule->factor(1.999), 1);
  EXPECT_EQ(schedule->factor(2), 0.5);
}

TEST(Schedule, RefusesSettingsThatMakeNoSchedule) {
  EXPECT_THROW(make_schedule(cosine(5), 5), ConfigError);
  EXPECT_THROW(make_schedule(cosine(0), 0), ConfigError);
  EXPECT_THROW(make_schedule(cosine(-1), 5), ConfigError);
  EXPECT_THROW(make_schedule(cosine(std::numeric_limits<double>::quiet_NaN()), 5), ConfigError);
  EXPECT_THROW(make_schedule(multistep(0, {3, 2}, 0.1), 5), ConfigError);
  EXPECT_THROW(make_schedule(multistep(0, {2, 2}, 0.1), 5), ConfigError);
}

}  // namespace
}  // namespace actionclip
