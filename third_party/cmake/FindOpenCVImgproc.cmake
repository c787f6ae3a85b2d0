# Finds OpenCV's core and imgproc alone and defines OpenCV::imgproc. Debian puts OpenCV's own CMake package into libopencv-dev,
# which brings 80 more libraries; libopencv-{core,imgproc}-dev come without it.

find_path(OpenCVImgproc_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4)
find_library(OpenCVImgproc_CORE_LIBRARY opencv_core)
find_library(OpenCVImgproc_LIBRARY opencv_imgproc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCVImgproc
  REQUIRED_VARS OpenCVImgproc_LIBRARY OpenCVImgproc_CORE_LIBRARY OpenCVImgproc_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or install libopencv-core-dev and libopencv-imgproc-dev")
if(OpenCVImgproc_FOUND AND NOT TARGET OpenCV::imgproc)
  add_library(OpenCV::imgproc INTERFACE IMPORTED)
  target_include_directories(OpenCV::imgproc SYSTEM INTERFACE "${OpenCVImgproc_INCLUDE_DIR}")
  target_link_libraries(OpenCV::imgproc INTERFACE "${OpenCVImgproc_LIBRARY}" "${OpenCVImgproc_CORE_LIBRARY}")
endif()
mark_as_advanced(OpenCVImgproc_INCLUDE_DIR OpenCVImgproc_CORE_LIBRARY OpenCVImgproc_LIBRARY)
