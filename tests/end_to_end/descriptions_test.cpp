// Descriptions and ensembling through the program.

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "actionclip/text/labels.h"

#include "tests/end_to_end/program.h"
#include "tests/temporary_folder.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DescribedLabels : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_experiment(folder_.path());
    std::ifstream test_list(folder_ / "data/test.txt");
    test_list >> video_ >> label_id_;
    write_text(folder_ / "data/one.txt", fmt::format("{} {}\n", video_, label_id_));
    // Two sentences for every other label; JSON is YAML.
    nlohmann::json sentences;
    const auto labels = read_labels(folder_ / "data/labels.csv");
    for (std::int64_t id = 0; id < labels.size(); ++id) {
      auto& own = sentences[labels.name(id)];
      own.push_back("it shows " + labels.name(id));
      if (id % 2 == 0) own.push_back("once more " + labels.name(id));
    }
    write_text(folder_ / "described.yaml", nlohmann::json{{"descriptions", sentences}}.dump());
    write_text(folder_ / "templates.yaml", "templates: ['a clip: {}', '{} there']\n");
    const auto trained = run_program({"train", "--config", folder_ / "config.yaml", "--output",
                                      folder_ / "run", "train.max_steps=1", templates_, descriptions_});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  }

  nlohmann::json predict(std::vector<std::string> more) {
    more.insert(more.begin(), {"predict", "--weights", weights_, "--json", folder_ / "data" / video_});
    const auto result = run_program(more);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output).at(0).at("predictions");
  }

  double loss(const std::vector<std::string>& settings) {
    std::vector<std::string> arguments{"evaluate",
                                       "--config",
                                       folder_ / "config.yaml",
                                       "--weights",
                                       weights_,
                                       "--json",
                                       "data.test.list=" + (folder_ / "data/one.txt").string()};
    arguments.insert(arguments.end(), settings.begin(), settings.end());
    const auto result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output).at("loss").get<double>();
  }

  // -log of the true label's probability.
  double loss_of(const nlohmann::json& predictions) {
    const auto label = read_labels(folder_ / "data/labels.csv").name(label_id_);
    for (const auto& entry : predictions) {
      if (entry.at("label") == label) return -std::log(entry.at("probability").get<double>());
    }
    return NAN;
  }

  TemporaryFolder folder_;
  std::string weights_ = folder_ / "run/checkpoints/last";
  std::string templates_ = "text.templates=" + (folder_ / "templates.yaml").string();
  std::string descriptions_ = "text.descriptions=" + (folder_ / "described.yaml").string();
  std::string video_;
  std::int64_t label_id_ = 0;
};

TEST_F(DescribedLabels, TheWeightsTellThemToPredict) {
  const auto told = predict({});
  EXPECT_EQ(told, predict({"--descriptions", folder_ / "described.yaml"}));
  EXPECT_NE(told, predict({"--labels", folder_ / "data/labels.csv"})) << "labels that may be others";
  EXPECT_NEAR(loss_of(told), loss({templates_, descriptions_}), 1e-4);
  EXPECT_GT(std::abs(loss_of(told) - loss({templates_})), 1e-6);
}

TEST_F(DescribedLabels, MeanEmbeddingIsTheSameToPredictAndEvaluate) {
  const auto averaged = predict({"--ensemble", "mean_embedding"});
  EXPECT_NE(averaged, predict({}));
  EXPECT_NEAR(loss_of(averaged), loss({templates_, descriptions_, "eval.ensemble=mean_embedding"}), 1e-4);
}

TEST_F(DescribedLabels, ALabelWithoutOneAndATemplateStyleThatThereIsNotAreNamed) {
  write_text(folder_ / "other.yaml", "descriptions: {bowling: a ball rolls}\n");
  const auto missing = run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", weights_,
                                    "text.descriptions=" + (folder_ / "other.yaml").string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.errors,
              AllOf(HasSubstr("other.yaml: no description of 152 of the 152 labels"), HasSubstr("...")));
  const auto style = run_program({"evaluate", "--config", folder_ / "config.yaml", "--weights", weights_,
                                  templates_, "text.template_style=cloze"});
  EXPECT_EQ(style.exit_code, 1);
  EXPECT_THAT(style.errors,
              HasSubstr("templates.yaml: none of its 2 templates is of text.template_style cloze"));
}

}  // namespace
}  // namespace actionclip
