# Finds FFmpeg's libraries through pkg-config and defines one imported target, FFmpeg::FFmpeg
# (libavformat, libavcodec, libavutil, libswscale). FFmpeg ships no CMake package of its own.

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(FFMPEG QUIET IMPORTED_TARGET libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FFmpeg REQUIRED_VARS FFMPEG_LINK_LIBRARIES
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or install FFmpeg 5.1's development files")
if(FFmpeg_FOUND AND NOT TARGET FFmpeg::FFmpeg)
  add_library(FFmpeg::FFmpeg ALIAS PkgConfig::FFMPEG)
endif()
