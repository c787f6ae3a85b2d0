// Playlists, scripts and other texts that name further files and addresses. {FOLDER}: of the script, {PORT}:
// of a server on this machine; canary/target.ts is a video that nobody may get to see through them.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace actionclip::testing {

struct HostileScript {
  std::string name;  // of the test
  std::string text;
  std::string file = "script.mp4";
};

inline std::ostream& operator<<(std::ostream& stream, const HostileScript& script) {
  return stream << script.name;
}

namespace detail {

inline std::vector<HostileScript> concat_scripts() {
  const std::string start = "ffconcat version 1.0\n";
  return {{"Concat", start + "file canary/target.ts\n"},
          {"ConcatAbsolute", start + "file '{FOLDER}/canary/target.ts'\n"},
          {"ConcatFileUrl", start + "file file:{FOLDER}/canary/target.ts\n"},
          {"ConcatHttp", start + "file http://127.0.0.1:{PORT}/target.ts\n"},
          {"ConcatTcp", start + "file tcp://127.0.0.1:{PORT}\n"},
          {"ConcatOfConcatProtocol", start + "file 'concat:canary/target.ts|canary/target.ts'\n"},
          {"ConcatSubfile", start + "file 'subfile,,start,0,end,0,,:canary/target.ts'\n"},
          {"ConcatInAndOut", start + "file canary/target.ts\ninpoint 0\noutpoint 1\nduration 1\n"},
          {"ConcatWithOptions", start + "file canary/target.ts\noption protocol_whitelist file,http\n"},
          {"ConcatOfConcat", start + "file canary/inner.ffconcat\n"},
          {"ConcatOfHls", start + "file canary/inner.m3u8\n"},
          {"ConcatOfItself", start + "file script.mp4\n"},
          {"ConcatBehindAByteOrderMark", "\xEF\xBB\xBF" + start + "file canary/target.ts\n"},
          {"ConcatWithoutAHeader", "file 'canary/target.ts'\nfile 'canary/target.ts'\n"},
          {"ConcatWithDosLines", "ffconcat version 1.0\r\nfile canary/target.ts\r\n"},
          {"ConcatOfADevice", start + "file /dev/zero\n"}};
}

inline std::vector<HostileScript> hls_scripts() {
  const std::string start = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n";
  const std::string end = "#EXTINF:1,\ncanary/target.ts\n#EXT-X-ENDLIST\n";
  return {
      {"Hls", start + end},
      {"HlsAbsolute", start + "#EXTINF:1,\n{FOLDER}/canary/target.ts\n#EXT-X-ENDLIST\n"},
      {"HlsFileUrl", start + "#EXTINF:1,\nfile://{FOLDER}/canary/target.ts\n#EXT-X-ENDLIST\n"},
      {"HlsHttp", start + "#EXTINF:1,\nhttp://127.0.0.1:{PORT}/target.ts\n#EXT-X-ENDLIST\n"},
      {"HlsConcatProtocol", start + "#EXTINF:1,\nconcat:canary/target.ts|canary/target.ts\n#EXT-X-ENDLIST\n"},
      {"HlsLive", start + "#EXTINF:1,\ncanary/target.ts\n"},
      {"HlsMaster", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\ncanary/inner.m3u8\n"},
      {"HlsMasterHttp", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttp://127.0.0.1:{PORT}/inner.m3u8\n"},
      {"HlsInitialisation", start + "#EXT-X-MAP:URI=\"canary/target.ts\"\n" + end},
      {"HlsKey", start + "#EXT-X-KEY:METHOD=AES-128,URI=\"canary/target.ts\"\n" + end},
      {"HlsByteRange", start + "#EXT-X-BYTERANGE:100@0\n" + end},
      {"HlsSubtitles",
       "#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"n\",URI=\"canary/inner.m3u8\"\n"
       "#EXT-X-STREAM-INF:BANDWIDTH=1000,SUBTITLES=\"s\"\ncanary/inner.m3u8\n"},
      {"HlsOfADataUrl", start + "#EXTINF:1,\ndata:video/mp2t;base64,R0A=\n#EXT-X-ENDLIST\n"},
      {"M3uWithoutTags", "#EXTM3U\ncanary/target.ts\n"},
      {"M3uOfPaths", "canary/target.ts\n{FOLDER}/canary/target.ts\n"}};
}

inline std::vector<HostileScript> xml_scripts() {
  const auto dash = [](const std::string& representation) {
    return "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
           "profiles=\"urn:mpeg:dash:profile:isoff-main:2011\" mediaPresentationDuration=\"PT1S\"><Period>"
           "<AdaptationSet mimeType=\"video/mp2t\"><Representation id=\"1\" bandwidth=\"1000\">" +
           representation + "</Representation></AdaptationSet></Period></MPD>\n";
  };
  return {
      {"Dash", dash("<BaseURL>canary/target.ts</BaseURL>")},
      {"DashAbsolute", dash("<BaseURL>file:{FOLDER}/canary/target.ts</BaseURL>")},
      {"DashHttp", dash("<BaseURL>http://127.0.0.1:{PORT}/target.ts</BaseURL>")},
      {"DashTemplate",
       dash("<SegmentTemplate media=\"canary/target.ts\" duration=\"1\" startNumber=\"1\"/>")},
      {"DashList",
       dash("<SegmentList duration=\"1\"><SegmentURL media=\"canary/target.ts\"/></SegmentList>")},
      {"XmlEntity",
       "<?xml version=\"1.0\"?><!DOCTYPE MPD [<!ENTITY x SYSTEM \"canary/target.ts\">]>"
       "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
       "profiles=\"urn:mpeg:dash:profile:isoff-main:2011\">&x;</MPD>\n"},
      {"ImfPackage",
       "<?xml version=\"1.0\"?><CompositionPlaylist xmlns=\"http://www.smpte-ra.org/schemas/2067-3/2016\">"
       "<Id>urn:uuid:0</Id><EditRate>24 1</EditRate><SegmentList/></CompositionPlaylist>\n"},
      {"SmoothStreaming",
       "<?xml version=\"1.0\"?><SmoothStreamingMedia MajorVersion=\"2\" Duration=\"1\"><StreamIndex "
       "Type=\"video\" "
       "Url=\"canary/target.ts\"/></SmoothStreamingMedia>\n"},
      {"Asx", "<asx version=\"3.0\"><entry><ref href=\"canary/target.ts\"/></entry></asx>\n"},
      {"Xspf",
       "<?xml version=\"1.0\"?><playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\"><trackList><track>"
       "<location>file://{FOLDER}/canary/target.ts</location></track></trackList></playlist>\n"},
      {"Smil", "<smil><body><video src=\"canary/target.ts\"/></body></smil>\n"},
      {"Svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"canary/target.ts\"/></svg>\n"},
      {"Html", "<!DOCTYPE html><html><body><video src=\"canary/target.ts\"></video></body></html>\n"}};
}

inline std::vector<HostileScript> subtitle_scripts() {
  return {{"SubRip", "1\n00:00:00,000 --> 00:00:09,000\n<img src=\"canary/target.ts\">\n\n"},
          {"WebVtt",
           "WEBVTT\n\nSTYLE\n::cue { background: url(canary/target.ts) }\n\n00:00.000 --> 00:09.000\nx\n"},
          {"SubStationAlpha",
           "[Script Info]\nScriptType: v4.00+\nVideo File: canary/target.ts\nAudio File: "
           "canary/target.ts\n\n[Events]\n"
           "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
           "Dialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,x\n"},
          {"Sami", "<SAMI><BODY><SYNC Start=0><P><img src=\"canary/target.ts\"></SYNC></BODY></SAMI>\n"},
          {"VobSub",
           "# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\nid: en, index: 0\n"
           "timestamp: 00:00:00:000, filepos: 000000000\n"},
          {"MicroDvd", "{1}{1}25\n{0}{99}{f:canary/target.ts}x\n{100}{120}y\n"},
          {"Metadata", ";FFMETADATA1\ntitle=canary/target.ts\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=9\n"}};
}

inline std::vector<HostileScript> other_scripts() {
  return {
      {"Sdp",
       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {PORT} RTP/AVP 96\n"
       "a=rtpmap:96 H264/90000\n"},
      {"SdpOfRtsp",
       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
       "a=control:rtsp://127.0.0.1:{PORT}/x\nm=video 0 RTP/AVP/TCP 33\n"},
      {"Pls", "[playlist]\nFile1=canary/target.ts\nNumberOfEntries=1\nVersion=2\n"},
      {"AsfReference", "[Reference]\nRef1=http://127.0.0.1:{PORT}/target.ts\n"},
      {"QuickTimeReference", "RTSPtextRTSP://127.0.0.1:{PORT}/target.ts\r\n"},
      {"RealAudioReference", "rtsp://127.0.0.1:{PORT}/target.rm\n"},
      {"AviSynth", "AviSource(\"canary/target.ts\")\n"},
      {"VapourSynth", "import vapoursynth\nvapoursynth.core.ffms2.Source('canary/target.ts').set_output()\n"},
      {"FilterGraph", "movie=canary/target.ts\n"},
      {"ConcatProtocol", "concat:canary/target.ts|canary/target.ts\n"},
      {"FileProtocol", "file:{FOLDER}/canary/target.ts\n"},
      {"TeeProtocol", "tee:canary/target.ts|canary/target.ts\n"},
      {"CryptoProtocol", "crypto:file:canary/target.ts\n"},
      {"BlurayProtocol", "bluray:canary\n"},
      {"DataProtocol", "data:video/mp2t;base64,R0AREABC8CUAAcEAAP8B/wAB/IAUSBIBBkZGbXBlZwlTZXJ2aWNlMDE=\n"},
      {"PatternOfImages", "canary/target%03d.ts\n"},
      {"NameOfAPattern", "canary/*.ts\n", "canary%03d_*.mp4"},
      {"NameOfAnAddress", "GET /target.ts HTTP/1.0\n", "http:127.0.0.1.mp4"},
      {"NameOfAConcat", "x\n", "concat:canary|canary.mp4"},
      {"ShellScript", "#!/bin/sh\ncat canary/target.ts\n"},
      {"MagicLantern", std::string("MLVI\x34\0\0\0v2.0\0\0\0\0", 16) + std::string(200, '\0')}};
}

}  // namespace detail

inline std::vector<HostileScript> hostile_scripts() {
  auto scripts = detail::concat_scripts();
  for (const auto& more :
       {detail::hls_scripts(), detail::xml_scripts(), detail::subtitle_scripts(), detail::other_scripts()})
    scripts.insert(scripts.end(), more.begin(), more.end());
  return scripts;
}

}  // namespace actionclip::testing
