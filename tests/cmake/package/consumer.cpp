// A program of another project, built against the installed package: calls something of either library.
#include <cstdio>

#include "actionclip/core/error.h"
#include "actionclip/text/labels.h"
#include "actionclip/video/image_file.h"

int main(int, char** arguments) {
  const auto labels = actionclip::parse_labels("archery\nbowling\n", "labels.txt");
  try {
    actionclip::read_image(arguments[0]);  // this program is no image
  } catch (const actionclip::VideoError&) {
    std::printf("%s\n", labels.name(1).c_str());
    return 0;
  }
  return 1;
}
