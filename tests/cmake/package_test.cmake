# Installs the build folder BUILD, builds the project in package/ against what was installed, and runs its program.
#   cmake -D BUILD=build/release -D WORK=a/fresh/folder -P package_test.cmake

file(REMOVE_RECURSE "${WORK}")

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/installed")
run("${CMAKE_COMMAND}" -G Ninja -S "${CMAKE_CURRENT_LIST_DIR}/package" -B "${WORK}/consumer" -D CMAKE_BUILD_TYPE=Release
    "-DCMAKE_PREFIX_PATH=${WORK}/installed")
run("${CMAKE_COMMAND}" --build "${WORK}/consumer")
run("${WORK}/consumer/consumer")
if(NOT output STREQUAL "bowling\n")
  message(FATAL_ERROR "the program printed: ${output}")
endif()
run("${WORK}/installed/bin/actionclip" --version)
foreach(file bpe_simple_vocab_16e6.txt.gz prompts/action.yaml)
  if(NOT EXISTS "${WORK}/installed/share/actionclip/${file}")
    message(FATAL_ERROR "share/actionclip/${file} is not installed with the program")
  endif()
endforeach()
file(REMOVE_RECURSE "${WORK}")
