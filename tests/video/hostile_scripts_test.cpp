// Playlists, scripts and texts that are named like videos: refused, and nothing that they name is opened or
// called.
#include "tests/video/hostile_scripts.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"
#include "actionclip/video/open_source.h"

#include "tests/log_capture.h"
#include "tests/video/test_videos.h"

namespace actionclip {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace actionclip::testing;
namespace fs = std::filesystem;

constexpr double kVideoSeconds = 5;

int checked(int code, const char* what) {
  if (code < 0) throw std::system_error(errno, std::generic_category(), what);
  return code;
}

// Names of the files of a folder that anybody opens or reads, as the kernel tells.
class OpenWatch {
 public:
  explicit OpenWatch(const fs::path& folder)
      : events_(checked(inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify")) {
    checked(inotify_add_watch(events_, folder.c_str(), IN_OPEN | IN_ACCESS), "inotify_add_watch");
  }
  ~OpenWatch() { close(events_); }
  OpenWatch(const OpenWatch&) = delete;
  OpenWatch& operator=(const OpenWatch&) = delete;

  // Since the last call; "." is the folder itself.
  std::set<std::string> opened() {
    std::set<std::string> names;
    std::array<char, 1 << 16> buffer;
    for (ssize_t size = 0; (size = read(events_, buffer.data(), buffer.size())) > 0;) {
      for (std::size_t place = 0; place < static_cast<std::size_t>(size);) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + place, sizeof(event));
        names.insert(event.len > 0 ? buffer.data() + place + sizeof(event) : ".");
        place += sizeof(event) + event.len;
      }
    }
    return names;
  }

 private:
  int events_;
};

// Listens on this machine.
class Server {
 public:
  Server() : socket_(checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    checked(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), "bind");
    checked(listen(socket_, 8), "listen");
    checked(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }
  ~Server() { close(socket_); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  bool was_called() const {
    const int caller = accept(socket_, nullptr, nullptr);
    if (caller >= 0) close(caller);
    return caller >= 0;
  }

 private:
  int socket_;
  int port_ = 0;
};

class ScriptFolder : public ::testing::Test {
 protected:
  ScriptFolder() {
    fs::create_directory(folder_ / "canary");
    encode_video(target_, {.frames = 5});
    folder_.write("canary/inner.ffconcat", "ffconcat version 1.0\nfile target.ts\n");
    folder_.write("canary/inner.m3u8",
                  "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ntarget.ts\n#EXT-X-ENDLIST\n");
    // Beside the script, where some formats look for their other half.
    for (const char* name : {"script.sub", "script.idx", "script.M00", "script.ts", "ASSETMAP.xml"})
      fs::create_symlink("canary/target.ts", folder_ / name);
  }

  // The script as a file, what it stands for filled in.
  fs::path write(const HostileScript& script) const {
    std::string text = script.text;
    const auto fill_in = [&text](const std::string& mark, const std::string& value) {
      for (std::size_t place = 0; (place = text.find(mark, place)) != std::string::npos;
           place += value.size())
        text.replace(place, mark.size(), value);
    };
    fill_in("{FOLDER}", folder_.path().string());
    fill_in("{PORT}", std::to_string(server_.port()));
    write_text(folder_ / script.file, text);
    return folder_ / script.file;
  }

  const TemporaryFolder folder_;
  const fs::path target_ = folder_ / "canary/target.ts";
  const Server server_;
};

class HostileScripts : public ScriptFolder, public ::testing::WithParamInterface<HostileScript> {};

TEST_P(HostileScripts, AreRefusedAndNothingTheyNameIsOpened) {
  const auto path = write(GetParam());
  const LogCapture log;
  OpenWatch watch(folder_ / "canary");
  const auto start = std::chrono::steady_clock::now();
  try {
    const VideoEntry entry{.path = path};
    const auto source = open_frames(entry, {}, kVideoSeconds);
    source->read_chosen([](std::int64_t) { return std::vector<std::int64_t>{0}; });
    ADD_FAILURE() << "gives frames";
  } catch (const VideoError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string() + ": ")) << "path and reason";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_THAT(watch.opened(), IsEmpty());
  EXPECT_FALSE(server_.was_called());
}

INSTANTIATE_TEST_SUITE_P(All, HostileScripts, ::testing::ValuesIn(hostile_scripts()),
                         [](const auto& info) { return info.param.name; });

// --- That the scripts are live, and that the watch would see it ---

class LiveScripts : public ScriptFolder, public ::testing::WithParamInterface<HostileScript> {};

TEST_P(LiveScripts, AreFollowedByFFmpegLeftToItself) {
  const auto path = write(GetParam());
  OpenWatch watch(folder_ / "canary");
  AVFormatContext* raw = nullptr;
  ASSERT_GE(avformat_open_input(&raw, path.c_str(), nullptr, nullptr), 0);
  const detail::Input input(raw);
  avformat_find_stream_info(input.get(), nullptr);
  EXPECT_THAT(watch.opened(), ::testing::Contains("target.ts"));
}

std::vector<HostileScript> live_scripts() {
  std::vector<HostileScript> live;
  for (const auto& script : hostile_scripts()) {
    if (script.name == "Concat" || script.name == "ConcatOfConcat" || script.name == "Hls" ||
        script.name == "HlsMaster" || script.name == "Dash")
      live.push_back(script);
  }
  return live;
}

INSTANTIATE_TEST_SUITE_P(Some, LiveScripts, ::testing::ValuesIn(live_scripts()),
                         [](const auto& info) { return info.param.name; });

TEST_F(ScriptFolder, TheCanaryIsAVideoAndItsReadingIsSeen) {
  OpenWatch watch(folder_ / "canary");
  EXPECT_EQ(open_frames(target_)->frame_count(), 5);
  EXPECT_THAT(watch.opened(), ElementsAre("target.ts"));
}

}  // namespace
}  // namespace actionclip
