# Which torch FindLibTorch chooses, also when another one is asked for in a build folder that knows one already.
#   cmake -D WORK=a/fresh/folder -P find_libtorch_test.cmake

file(REMOVE_RECURSE "${WORK}")
foreach(version 2.11.0 2.12.0)
  file(WRITE "${WORK}/${version}/torch/version.py" "__version__ = '${version}+cpu'\n")
  foreach(library torch_cpu c10)
    file(WRITE "${WORK}/${version}/torch/lib/lib${library}.so" "")
  endforeach()
endforeach()

# Configures with the arguments ARGN and wants the torch of `version`.
function(expect version)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -G Ninja -S "${CMAKE_CURRENT_LIST_DIR}/find_libtorch" -B "${WORK}/build" ${ARGN}
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(FIND "${output}" "chosen: ${version} ${WORK}/${version}/torch/lib/libtorch_cpu.so" place)
  if(NOT code EQUAL 0 OR place EQUAL -1)
    message(FATAL_ERROR "expected torch ${version} after: ${ARGN}\n${output}")
  endif()
endfunction()

unset(ENV{ACTIONCLIP_TORCH_DIR})
expect(2.11.0 "-DACTIONCLIP_TORCH_DIR=${WORK}/2.11.0/torch")
expect(2.12.0 "-DACTIONCLIP_TORCH_DIR=${WORK}/2.12.0/torch")
expect(2.12.0)
set(ENV{ACTIONCLIP_TORCH_DIR} "${WORK}/2.11.0/torch")
expect(2.12.0)
expect(2.11.0 "-DACTIONCLIP_TORCH_DIR=")
set(ENV{ACTIONCLIP_TORCH_DIR} "${WORK}/2.12.0/torch")
expect(2.12.0)
file(REMOVE_RECURSE "${WORK}")
