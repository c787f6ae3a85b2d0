// Lists and labels of the data sets of the field, from the folders and annotation files that people download.
// The videos are looked up, not opened. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace actionclip {

struct PrepareOptions {
  std::string dataset;         // a name of preparable_datasets()
  std::filesystem::path root;  // folder of the videos, searched with all that is below
  // Files, and folders that hold them; empty: they are looked for in `root`.
  std::vector<std::filesystem::path> annotations;
  // A label file (labels.h) that the classes are matched to; empty: the annotations or folders tell them.
  std::filesystem::path labels;
  double max_missing = 0.05;  // share of the videos named that may be absent
  bool force = false;         // a folder that an earlier call made is made anew
  // Kinetics: files named by their id alone are whole videos, of which the lists name the annotated seconds.
  bool untrimmed = false;
};

struct PreparableDataset {
  std::string name;
  std::string needs;  // its annotation files, in words
};
std::vector<PreparableDataset> preparable_datasets();

struct PreparedList {
  std::string file;                       // "train.txt"; empty: none of its videos is there
  std::string split;                      // as the data set calls it
  std::int64_t videos = 0;                // that the list holds
  std::int64_t missing = 0;               // that annotations name beside them
  std::int64_t repeated = 0;              // named once more with the same label, and left out
  std::int64_t classes = 0;               // with a video
  std::vector<std::string> bare_classes;  // without one
  std::string sha256;                     // of the file
};

struct PrepareReport {
  bool made = true;      // false: these settings had made the folder before, and it was left as it is
  bool changed = false;  // of a folder that was left: root holds other videos now
  std::string tree;      // SHA-256 of the names of all videos and frame folders below root
  std::string format;
  std::int64_t labels = 0;
  std::int64_t unlisted = 0;  // videos below root that no list names
  std::vector<PreparedList> lists;
};

// summary.json.
std::string summary_json(const PrepareReport& report);

// Writes into the folder `output`, all files or none; what else lies in it (the videos, say) stays. One that
// was made with the same settings and annotations is left as it is, unless options.force:
//   labels.csv     `id,name[,code]`
//   train.txt, val.txt, test.txt
//       the splits; for UCF101 and HMDB51 train.txt and val.txt are the first official split, and
//       train_split1.txt, test_split1.txt ... all three. Lines PATH LABEL_ID relative to root. Charades,
//       whose videos have several labels, and untrimmed Kinetics: train.csv, val.csv in the format `table`
//   flip_labels.csv  for data.transforms.flip_labels: labels that tell left from right, where there are any
//   missing.txt    `LIST,VIDEO` of each video that annotations name and root lacks
//   summary.json   what is returned
//   prepared.json  the settings, and which files are these
// Throws Error: an unknown data set; annotations that are missing or malformed (file:line); class names that
// match none or several of the labels; no video found; a larger share missing than max_missing; `output`
// holds a file of one of these names that no earlier call wrote, or was made with other settings.
PrepareReport prepare_dataset(const PrepareOptions& options, const std::filesystem::path& output);

}  // namespace actionclip
