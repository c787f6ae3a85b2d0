// The sections of a report, each as HTML; empty where the run has nothing for it.
#pragma once

#include <string>
#include <vector>

#include "actionclip/protocols/report.h"
#include "actionclip/protocols/run_record.h"

#include "class_results.h"

namespace actionclip::detail {

// What was measured on a split, with intervals where the file has them: evaluation.json, else the last
// validation.
std::string figures_section(const RunRecord& run);

std::string zero_shot_section(const RunRecord& run);
std::string few_shot_section(const RunRecord& run);
std::string base_to_novel_section(const RunRecord& run);

// Loss, learning rate, validation and throughput over the steps.
std::string curves_section(const RunRecord& run);

// The best and the worst classes, and all of them folded up.
std::string classes_section(const ClassResults& results);

// `source`: a sentence on which split they are of; may be empty.
std::string examples_section(const ExampleClips& examples, const std::string& source);

// Throughput, machine, versions, and warnings of the log.
std::string machine_section(const RunRecord& run);

std::string failures_section(const RunRecord& run);
std::string config_section(const RunRecord& run);

}  // namespace actionclip::detail
