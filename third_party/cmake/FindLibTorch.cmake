# Finds the libtorch inside a PyTorch wheel and defines
#   LibTorch::cpu   libtorch_cpu + libc10 (Gloo inside)
#   LibTorch::cuda  the same plus libtorch_cuda, libc10_cuda, NCCL and the CUDA runtime; only if asked for by ACTIONCLIP_CUDA
#   LibTorch_VERSION, LibTorch_CUDA_FOUND, LibTorch_DIRECTORY (where the wheel was found)
#
# Where: the cache variable ACTIONCLIP_TORCH_DIR (a folder ".../site-packages/torch"), else the environment's variable of that name,
# else the torch of the project's .venv, be it installed there or re-used by scripts/setup.sh. Looked up anew at every configuration
# (NO_CACHE), so that another choice takes effect.
#
# Why not the wheel's own TorchConfig.cmake: it demands nvcc, links the toolkit's libraries rather than those the wheel was
# built with, and puts its include folder, which contains another fmt and protobuf, before the system's.

set(ACTIONCLIP_TORCH_DIR "" CACHE PATH "The torch folder of a PyTorch wheel; empty: of the environment, or of .venv")
set(_torch "${ACTIONCLIP_TORCH_DIR}")
if(NOT _torch)
  set(_torch "$ENV{ACTIONCLIP_TORCH_DIR}")
endif()
if(NOT _torch)
  file(GLOB _reused "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/reused_torch.pth")
  foreach(_file IN LISTS _reused)
    file(STRINGS "${_file}" _folder LIMIT_COUNT 1)
    set(_torch "${_folder}/torch")
  endforeach()
endif()
if(NOT _torch)
  file(GLOB _folders "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  foreach(_folder IN LISTS _folders)
    set(_torch "${_folder}")
  endforeach()
endif()
set(LibTorch_DIRECTORY "${_torch}")

if(_torch AND EXISTS "${_torch}/version.py")
  file(STRINGS "${_torch}/version.py" _version_line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${_version_line}")
endif()
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS "${_torch}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_C10_LIBRARY c10 PATHS "${_torch}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS "${_torch}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATHS "${_torch}/lib" NO_DEFAULT_PATH NO_CACHE)
find_path(LibTorch_GLOO_INCLUDE_DIR gloo/rendezvous/store.h)
get_filename_component(_site "${_torch}" DIRECTORY)
set(_nvidia "${_site}/nvidia")
find_file(LibTorch_NCCL_LIBRARY libnccl.so.2 PATHS "${_nvidia}/nccl/lib" NO_DEFAULT_PATH NO_CACHE)
find_file(LibTorch_CUDART_LIBRARY libcudart.so.13 PATHS "${_nvidia}/cu13/lib" NO_DEFAULT_PATH NO_CACHE)
find_path(LibTorch_CUDA_INCLUDE_DIR cuda_runtime_api.h HINTS "$ENV{CUDA_HOME}/include" /usr/local/cuda/include)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_GLOO_INCLUDE_DIR LibTorch_VERSION
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or set ACTIONCLIP_TORCH_DIR to a folder .../site-packages/torch")

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  set(LibTorch_CUDA_FOUND FALSE)
  if(LibTorch_CUDA_LIBRARY AND LibTorch_NCCL_LIBRARY AND LibTorch_CUDART_LIBRARY AND LibTorch_CUDA_INCLUDE_DIR)
    set(LibTorch_CUDA_FOUND TRUE)
  endif()

  add_library(LibTorch::cpu INTERFACE IMPORTED)
  # -idirafter: torch's include folder ships its own fmt and protobuf, which must not hide the system's.
  target_compile_options(LibTorch::cpu INTERFACE
    "SHELL:-idirafter ${_torch}/include" "SHELL:-idirafter ${_torch}/include/torch/csrc/api/include")
  target_include_directories(LibTorch::cpu SYSTEM INTERFACE "${LibTorch_GLOO_INCLUDE_DIR}")
  target_compile_definitions(LibTorch::cpu INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)
  target_link_libraries(LibTorch::cpu INTERFACE "${LibTorch_CPU_LIBRARY}" "${LibTorch_C10_LIBRARY}")
  # libtorch_cpu itself needs the CUDA runtime and CUPTI of the wheel's neighbours.
  target_link_options(LibTorch::cpu INTERFACE
    "-Wl,--disable-new-dtags" "-Wl,-rpath,${_torch}/lib" "-Wl,-rpath,${_nvidia}/cu13/lib"
    "-Wl,-rpath-link,${_nvidia}/cu13/lib")

  if(LibTorch_CUDA_FOUND)
    add_library(LibTorch::cuda INTERFACE IMPORTED)
    # The wheel's NCCL headers are newer than the toolkit's and must be found first.
    target_include_directories(LibTorch::cuda SYSTEM INTERFACE "${_nvidia}/nccl/include" "${LibTorch_CUDA_INCLUDE_DIR}")
    target_compile_definitions(LibTorch::cuda INTERFACE USE_C10D_NCCL)
    target_link_options(LibTorch::cuda INTERFACE "-Wl,-rpath,${_nvidia}/nccl/lib")
    foreach(_part cudnn cusparselt nvshmem)
      target_link_options(LibTorch::cuda INTERFACE "-Wl,-rpath-link,${_nvidia}/${_part}/lib")
    endforeach()
    target_link_libraries(LibTorch::cuda INTERFACE
      "-Wl,--no-as-needed" "${LibTorch_CUDA_LIBRARY}" "${LibTorch_C10_CUDA_LIBRARY}" "${LibTorch_NCCL_LIBRARY}"
      "${LibTorch_CUDART_LIBRARY}" "-Wl,--as-needed" LibTorch::cpu)
  endif()
endif()
mark_as_advanced(LibTorch_GLOO_INCLUDE_DIR LibTorch_CUDA_INCLUDE_DIR)
