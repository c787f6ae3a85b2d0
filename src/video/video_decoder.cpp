#include "video/video_decoder.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <vector>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/video/image.h"
#include "actionclip/video/sampler.h"

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

constexpr int kIoBufferBytes = 64 << 10;

// FFmpeg conceals errors and goes on by default; with these flags decoders return them. H.264 is left at its
// default, where a concealed frame is marked (decode_error_flags) as reliably: strict, it also refuses clips
// that were cut at an open GOP, over references to what was cut away.
int error_recognition(AVCodecID codec) {
  constexpr int kChecks = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  return codec == AV_CODEC_ID_H264 ? kChecks : kChecks | AV_EF_EXPLODE;
}

int read_file(void* file, std::uint8_t* buffer, int size) {
  const auto count = static_cast<RegularFile*>(file)->read({buffer, static_cast<std::size_t>(size)});
  return count == 0 ? AVERROR_EOF : static_cast<int>(count);
}

std::int64_t seek_file(void* file, std::int64_t offset, int whence) {
  auto& regular_file = *static_cast<RegularFile*>(file);
  if ((whence & AVSEEK_SIZE) != 0) return regular_file.size();
  return regular_file.seek(offset, whence & ~AVSEEK_FORCE);
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

template <typename Owner, typename T>
Owner own(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return Owner(object);
}

bool is_attached_picture(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

}  // namespace

VideoDecoder::VideoDecoder(RegularFile& file) : file_(file) {
  capture_ffmpeg_messages();
  clear_ffmpeg_message();
  packet_ = own<UniquePacket>(av_packet_alloc());
  frame_ = own<UniqueFrame>(av_frame_alloc());
  open_container();
  choose_stream();
  open_codec();
}

void VideoDecoder::open_container() {
  if (const auto position = file_.seek(0, SEEK_SET); position < 0)
    fail("cannot read", static_cast<int>(position));
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
  if (buffer == nullptr) throw std::bad_alloc();
  io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 0, &file_, read_file, nullptr, seek_file));
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
                                 file_.path().string(), container->name,
                                 container->long_name != nullptr ? container->long_name : "no description"));
  }

  auto format = own<UniqueFormat>(avformat_alloc_context());
  format->pb = io_.get();
  format->io_open = refuse_to_open;
  format->format_whitelist = av_strdup(kContainers);
  AVFormatContext* raw = format.release();  // avformat_open_input frees it on failure
  if (const int code = avformat_open_input(&raw, "", container, nullptr); code < 0) {
    fail(fmt::format("cannot be opened as '{}'", container->name), code);
  }
  format_.reset(raw);
}

void VideoDecoder::choose_stream() {
  // The decoders that look at the first frames to complete the streams' parameters obey the size limit too.
  std::vector<AVDictionary*> options(format_->nb_streams, nullptr);
  for (auto& option : options) av_dict_set_int(&option, "max_pixels", kMaxImagePixels, 0);
  const int code = avformat_find_stream_info(format_.get(), options.data());
  for (auto& option : options) av_dict_free(&option);
  if (code < 0) fail("cannot be analysed", code);

  const std::span streams(format_->streams, format_->nb_streams);
  const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best >= 0 && !is_attached_picture(*streams[best])) stream_ = streams[best];
  for (AVStream* stream : streams) {
    const bool is_video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_attached_picture(*stream);
    if (stream_ == nullptr && is_video) stream_ = stream;
  }
  if (stream_ == nullptr) throw VideoError(fmt::format("{}: holds no video stream", file_.path().string()));
}

void VideoDecoder::open_codec() {
  const AVCodecID id = stream_->codecpar->codec_id;
  const AVCodec* decoder = avcodec_find_decoder(id);
  if (decoder == nullptr) {
    throw VideoError(fmt::format("{}: no decoder for its video, which is '{}'", file_.path().string(),
                                 avcodec_get_name(id)));
  }
  codec_ = own<UniqueCodec>(avcodec_alloc_context3(decoder));
  if (const int code = avcodec_parameters_to_context(codec_.get(), stream_->codecpar); code < 0) {
    fail("has unusable stream parameters", code);
  }
  codec_->pkt_timebase = stream_->time_base;
  codec_->thread_count = 1;  // the loader decodes several videos at once
  codec_->err_recognition = error_recognition(id);
  codec_->max_pixels = kMaxImagePixels;
  if (const int code = avcodec_open2(codec_.get(), decoder, nullptr); code < 0) {
    fail(fmt::format("its decoder '{}' cannot be opened", decoder->name), code);
  }
}

const AVFrame* VideoDecoder::next() {
  clear_ffmpeg_message();
  while (true) {
    const int code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code == AVERROR_EOF) return nullptr;
    if (code == AVERROR(EAGAIN)) {
      feed();
      continue;
    }
    if (code < 0) fail_damaged(ffmpeg_error_text(code));
    if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
      fail_damaged(ffmpeg_error_text(AVERROR_INVALIDDATA));
    }
    ++frames_done_;
    return frame_.get();
  }
}

// Sends the next packet of the stream to the decoder, or the end.
void VideoDecoder::feed() {
  while (true) {
    av_packet_unref(packet_.get());
    clear_ffmpeg_message();
    const int code = av_read_frame(format_.get(), packet_.get());
    if (code == AVERROR_EOF) {
      check_end();
      avcodec_send_packet(codec_.get(), nullptr);
      return;
    }
    if (code < 0) fail_damaged(ffmpeg_error_text(code));
    last_packet_is_cut_ = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
    if (packet_->stream_index != stream_->index) continue;
    if (last_packet_is_cut_) fail_damaged("its data ends early or fails a checksum");
    if (packet_->size == 0) continue;  // AVI's way to say "the last frame again"
    const int sent = avcodec_send_packet(codec_.get(), packet_.get());
    if (sent < 0) fail_damaged(ffmpeg_error_text(sent));
    return;
  }
}

// FFmpeg gives a file that was cut off the same code as one that ends well.
void VideoDecoder::check_end() const {
  if (io_->error < 0) fail("cannot be read to its end", io_->error);
  // What there is to tell them apart: a last packet, of sound perhaps, that is not whole; Matroska's "File
  // ended prematurely".
  if (last_packet_is_cut_ || has_ffmpeg_message()) fail_damaged(ffmpeg_error_text(AVERROR_EOF));
}

const std::int32_t* VideoDecoder::display_matrix(const AVFrame& frame) const {
  constexpr std::size_t kBytes = 9 * sizeof(std::int32_t);
  const AVFrameSideData* side_data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (side_data != nullptr && side_data->size >= kBytes)
    return reinterpret_cast<const std::int32_t*>(side_data->data);
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data != nullptr && size >= kBytes ? reinterpret_cast<const std::int32_t*>(data) : nullptr;
}

std::int64_t VideoDecoder::claimed_frame_count() const {
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

void VideoDecoder::fail(const std::string& what, int code) const {
  throw VideoError(fmt::format("{}: {}: {}", file_.path().string(), what, ffmpeg_error_text(code)));
}

void VideoDecoder::fail_damaged(const std::string& reason) const {
  throw VideoError(fmt::format("{}: damaged at frame {}: {}", file_.path().string(), frames_done_, reason));
}

}  // namespace actionclip
