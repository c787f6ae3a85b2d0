#include "video/video_stream.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/image.h"
#include "actionclip/video/sampler.h"

#include "video/picture_parser.h"
extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/opt.h>
}

namespace actionclip {
namespace {

// Every container and stream of video that holds its own frames. Left out are playlists and scripts (hls,
// dash, concat, sdp, imf, image2 patterns, vobsub, mlv ...), which make FFmpeg open other files and
// addresses: a list of what is accepted, so that a kind which a newer FFmpeg adds is not trusted unseen.
// Formats of games are left out too: nobody learns actions from them, and nobody looks after their readers.
constexpr const char* kContainers =
    // general
    "mov,matroska,avi,mpegts,mpeg,flv,live_flv,kux,asf,asf_o,ogg,nut,rm,ivr,nsv,nuv,swf,pva,wtv,ty,vividas,"
    "vivo,"
    // studios and cameras
    "mxf,gxf,lxf,dv,r3d,cine,ser,filmstrip,yuv4mpegpipe,smjpeg,mpjpeg,mxg,dhav,luodat,ifv,iv8,lmlm4,nc,"
    "ingenient,"
    "simbiosis_imx,"
    // bare streams of a codec
    "h261,h263,h264,hevc,m4v,mpegvideo,mjpeg,mjpeg_2000,ivf,av1,obu,vc1,vc1test,dirac,dnxhd,cavsvideo,avs2,"
    "avs3,ipu,"
    // pictures
    "gif,apng,flic,png_pipe,webp_pipe,bmp_pipe";

// Containers whose headers name the streams in full, and whose packets all have their times and places.
constexpr const char* kIndexedContainers = "mov,matroska";

constexpr int kIoBufferBytes = 64 << 10;

// FFmpeg conceals errors and goes on by default; with these flags decoders return them. H.264 is left at its
// default, where a concealed frame is marked (decode_error_flags) as reliably: strict, it also refuses clips
// that were cut at an open GOP, over references to what was cut away.
int error_recognition(AVCodecID codec) {
  constexpr int kChecks = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  return codec == AV_CODEC_ID_H264 ? kChecks : kChecks | AV_EF_EXPLODE;
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

bool is_attached_picture(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

bool is_video(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_attached_picture(stream);
}

}  // namespace

VideoStream::VideoStream(RegularFile& file, const Deadline& deadline, Analysis analysis)
    : source_{file, deadline} {
  capture_ffmpeg_messages();
  clear_ffmpeg_message();
  open_container();
  simple_ = analysis == Analysis::if_needed && header_tells_all();
  // Such a container gives whole pictures, and its reader looks into them anyway. Times are still filled in:
  // Matroska has but those of decoding of what was made for AVI.
  if (simple_) format_->flags |= AVFMT_FLAG_NOPARSE;
  choose_stream();
}

// Nothing that FFmpeg does with a file lasts without reading, so a look at the clock with each read is enough
// to stop it.
int VideoStream::read_source(void* source, std::uint8_t* buffer, int size) {
  if (is_late(source) != 0) return AVERROR_EXIT;
  auto& [file, deadline, position] = *static_cast<Source*>(source);
  const std::int64_t count = file.read_at(position, {buffer, static_cast<std::size_t>(size)});
  if (count > 0) position += count;
  return count == 0 ? AVERROR_EOF : static_cast<int>(count);
}

std::int64_t VideoStream::seek_source(void* source, std::int64_t offset, int whence) {
  auto& [file, deadline, position] = *static_cast<Source*>(source);
  if ((whence & AVSEEK_SIZE) != 0) return file.size();
  switch (whence & ~AVSEEK_FORCE) {
    case SEEK_CUR:
      offset += position;
      break;
    case SEEK_END:
      offset += file.size();
      break;
    default:
      break;
  }
  return offset < 0 ? AVERROR(EINVAL) : position = offset;
}

int VideoStream::is_late(void* source) { return static_cast<Source*>(source)->deadline.passed() ? 1 : 0; }

void VideoStream::open_container() {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
  if (buffer == nullptr) throw std::bad_alloc();
  io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 0, &source_, read_source, nullptr, seek_source));
  if (io_ == nullptr) {
    av_free(buffer);
    throw std::bad_alloc();
  }
  // Probed without a name: a playlist called clip.mp4 is a playlist.
  const AVInputFormat* container = nullptr;
  if (const int code = av_probe_input_buffer2(io_.get(), &container, "", nullptr, 0, 0); code < 0) {
    fail("is not a video", code);
  }
  if (av_match_list(container->name, kContainers, ',') <= 0) {
    throw VideoError(fmt::format("{}: is '{}' ({}), which is not an accepted kind of video file",
                                 path().string(), container->name,
                                 container->long_name != nullptr ? container->long_name : "no description"));
  }

  auto format = owned<UniqueFormat>(avformat_alloc_context());
  format->pb = io_.get();
  format->io_open = refuse_to_open;
  format->interrupt_callback = {is_late, &source_};
  format->format_whitelist = av_strdup(kContainers);
  AVFormatContext* raw = format.release();  // avformat_open_input frees it on failure
  if (const int code = avformat_open_input(&raw, "", container, nullptr); code < 0) {
    fail(fmt::format("cannot be opened as '{}'", container->name), code);
  }
  format_.reset(raw);
}

// Whether there is but one stream of pictures, of which the container's header says all that its decoder
// wants.
bool VideoStream::header_tells_all() const {
  if (av_match_list(format_->iformat->name, kIndexedContainers, ',') <= 0) return false;
  const std::span streams(format_->streams, format_->nb_streams);
  const auto has_pictures = [](const AVStream* stream) { return is_video(*stream); };
  if (std::count_if(streams.begin(), streams.end(), has_pictures) != 1) return false;
  return can_parse_pictures(*(*std::find_if(streams.begin(), streams.end(), has_pictures))->codecpar);
}

void VideoStream::choose_stream() {
  const std::span streams(format_->streams, format_->nb_streams);
  if (!simple_) {
    // The decoders that look at the first frames to complete the streams' parameters obey the size limit too.
    std::vector<AVDictionary*> options(format_->nb_streams, nullptr);
    for (auto& option : options) av_dict_set_int(&option, "max_pixels", kMaxImagePixels, 0);
    const int code = avformat_find_stream_info(format_.get(), options.data());
    for (auto& option : options) av_dict_free(&option);
    if (code < 0) fail("cannot be analysed", code);
    const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (best >= 0 && !is_attached_picture(*format_->streams[best])) stream_ = format_->streams[best];
  }
  // Analysis may have added streams.
  for (AVStream* stream : std::span(format_->streams, format_->nb_streams)) {
    if (stream_ == nullptr && is_video(*stream)) stream_ = stream;
  }
  if (stream_ == nullptr) throw VideoError(fmt::format("{}: holds no video stream", path().string()));
  for (AVStream* stream : streams) {
    if (simple_ && stream != stream_) stream->discard = AVDISCARD_ALL;
  }
}

UniqueCodec VideoStream::open_decoder() const {
  const AVCodecID id = parameters().codec_id;
  const AVCodec* decoder = avcodec_find_decoder(id);
  if (decoder == nullptr) {
    throw VideoError(
        fmt::format("{}: no decoder for its video, which is '{}'", path().string(), avcodec_get_name(id)));
  }
  auto codec = owned<UniqueCodec>(avcodec_alloc_context3(decoder));
  if (const int code = avcodec_parameters_to_context(codec.get(), &parameters()); code < 0) {
    fail("has unusable stream parameters", code);
  }
  codec->pkt_timebase = stream_->time_base;
  codec->thread_count = 1;  // the loader decodes several videos at once
  codec->err_recognition = error_recognition(id);
  codec->max_pixels = kMaxImagePixels;
  if (const int code = avcodec_open2(codec.get(), decoder, nullptr); code < 0) {
    fail(fmt::format("its decoder '{}' cannot be opened", decoder->name), code);
  }
  return codec;
}

VideoStream::Outcome VideoStream::read(AVPacket& packet) {
  while (true) {
    check_deadline();
    av_packet_unref(&packet);
    clear_ffmpeg_message();
    const int code = av_read_frame(format_.get(), &packet);
    if (code == AVERROR_EOF) return end();
    if (code < 0) {
      check_deadline();
      damage_ = ffmpeg_error_text(code);
      return Outcome::damaged;
    }
    last_packet_is_cut_ = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0;
    if (packet.stream_index != stream_->index) continue;
    if (last_packet_is_cut_) {
      damage_ = "its data ends early or fails a checksum";
      return Outcome::damaged;
    }
    if (packet.size > 0) return Outcome::packet;  // an empty one is AVI's way to say "the last frame again"
  }
}

// FFmpeg gives a file that was cut off the same code as one that ends well.
VideoStream::Outcome VideoStream::end() {
  if (io_->error < 0) fail("cannot be read to its end", io_->error);
  // What there is to tell them apart: a last packet, of sound perhaps, that is not whole; Matroska's "File
  // ended prematurely".
  if (!last_packet_is_cut_ && !has_ffmpeg_message()) return Outcome::end;
  damage_ = ffmpeg_error_text(AVERROR_EOF);
  return Outcome::damaged;
}

bool VideoStream::seek(std::int64_t pts, std::int64_t dts) {
  // MP4's index counts by the time of decoding, Matroska's by that of presentation.
  const bool by_dts = av_match_list(format_->iformat->name, "mov", ',') > 0;
  const std::int64_t time = by_dts ? dts : pts;
  return time != AV_NOPTS_VALUE &&
         av_seek_frame(format_.get(), stream_->index, time, AVSEEK_FLAG_BACKWARD) >= 0;
}

const std::int32_t* VideoStream::display_matrix(const AVFrame& frame) const {
  constexpr std::size_t kBytes = 9 * sizeof(std::int32_t);
  const AVFrameSideData* side_data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (side_data != nullptr && side_data->size >= kBytes)
    return reinterpret_cast<const std::int32_t*>(side_data->data);
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data != nullptr && size >= kBytes ? reinterpret_cast<const std::int32_t*>(data) : nullptr;
}

std::int64_t VideoStream::claimed_frame_count() const {
  const auto believable = [](std::int64_t count) {
    return count > 0 && count <= kMaxFrameCount ? count : -1;
  };
  if (stream_->nb_frames > 0) return believable(stream_->nb_frames);
  const AVRational rate = stream_->avg_frame_rate;
  if (rate.num <= 0 || rate.den <= 0) return -1;
  const bool has_own_duration = stream_->duration != AV_NOPTS_VALUE;
  const std::int64_t duration = has_own_duration ? stream_->duration : format_->duration;
  if (duration == AV_NOPTS_VALUE || duration <= 0) return -1;
  const AVRational unit = has_own_duration ? stream_->time_base : AVRational{1, AV_TIME_BASE};
  return believable(av_rescale_q(duration, unit, av_inv_q(rate)));
}

void VideoStream::check_deadline() const {
  if (!source_.deadline.passed()) return;
  throw VideoError(fmt::format("{}: took longer than {} s to decode (data.video_seconds)", path().string(),
                               source_.deadline.seconds()));
}

void VideoStream::fail(const std::string& what, int code) const {
  check_deadline();
  throw VideoError(fmt::format("{}: {}: {}", path().string(), what, ffmpeg_error_text(code)));
}

}  // namespace actionclip
