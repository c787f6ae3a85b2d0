// Clips side by side in one picture, for people to look at.
#pragma once

#include <string>
#include <vector>

#include "actionclip/video/image.h"

namespace actionclip {

struct SheetRow {
  std::vector<std::vector<Image>> strips;  // one below the other; the frames of each side by side
  std::string text;                        // below them, in as many lines as it needs; what is not ASCII
                                           // becomes '?'
};

// Frames are scaled to `frame_height` pixels. Throws Error for a sheet of more than kMaxImagePixels.
Image draw_contact_sheet(const std::vector<SheetRow>& rows, int frame_height);

}  // namespace actionclip
