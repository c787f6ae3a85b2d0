// Attention maps over the frames that they are of, as files for people.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actionclip/eval/explain.h"
#include "actionclip/video/image.h"

namespace actionclip {

// The frames of the clip with their attention over them; all have one range of heat.
std::vector<Image> draw_attention(const ExplainedPrediction& explained);

// The frames of the clip, and below each the picture of draw_attention(), eight side by side.
Image draw_attention_sheet(const ExplainedPrediction& explained, const std::vector<Image>& pictures);

// Frames a second that show the clip in real time, as near as whole numbers get (1 to 30); 2 where the video
// has no times.
int playing_rate(const std::vector<double>& seconds);

// Writes an MP4 file. Throws Error if it cannot be written.
void write_attention_video(const std::filesystem::path& path, const std::vector<Image>& pictures,
                           int frames_per_second);

}  // namespace actionclip
