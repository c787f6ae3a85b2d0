# Installs the build folder BUILD, builds the projects in package/ and classify_video/ against what was installed, the second outside of
# the checkout, and runs their programs.
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
set(program "${WORK}/installed/bin/actionclip")
set(share "${WORK}/installed/share/actionclip")
run("${program}" --version)
foreach(file bpe_simple_vocab_16e6.txt.gz prompts/action.yaml prompts/clip_kinetics.yaml prompts/label_only.yaml)
  if(NOT EXISTS "${share}/${file}")
    message(FATAL_ERROR "share/actionclip/${file} is not installed with the program")
  endif()
endforeach()

# A step of training tokenises prompts. That the vocabulary is the installed one, not the checkout's, shows once it is damaged.
run("${program}" dataset synthesize --output "${WORK}/data" --train 38 --val 1 --test 1 --zero-shot 1 --few-shot-train 1
    --few-shot-test 1 --stills 1 --frames 2 --frame-size 32)
file(WRITE "${WORK}/config.yaml" "\
model:
  arch: custom
  init: {image: random, text: random}
  frames: 2
  fusion: meanP
  embed_dim: 8
  vision: {image_size: 32, patch_size: 32, width: 8, layers: 1, heads: 1}
  text: {context_length: 24, vocabulary_size: 49408, width: 8, layers: 1, heads: 1}
data: {labels: data/labels.csv, train: {list: data/train.txt}, num_workers: 1}
text: {templates: installed/share/actionclip/prompts/clip_kinetics.yaml}
train: {max_steps: 1, batch_size: 2}
")
set(step "${program}" train --config "${WORK}/config.yaml" --device cpu --output)
run(${step} "${WORK}/run")

# The example, as another project has it.
execute_process(COMMAND mktemp -d OUTPUT_VARIABLE elsewhere OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(COPY "${CMAKE_CURRENT_LIST_DIR}/classify_video" DESTINATION "${elsewhere}")
file(GLOB videos "${WORK}/data/videos/train/*.mp4")
list(GET videos 0 video)
set(classify "${elsewhere}/build/classify_video" "${WORK}/run/checkpoints/last" "${WORK}/data/labels.csv")
function(run_elsewhere)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    file(REMOVE_RECURSE "${elsewhere}")
    message(FATAL_ERROR "${ARGV}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()
run_elsewhere("${CMAKE_COMMAND}" -G Ninja -S "${elsewhere}/classify_video" -B "${elsewhere}/build" -D CMAKE_BUILD_TYPE=Release
              "-DCMAKE_PREFIX_PATH=${WORK}/installed")
run_elsewhere("${CMAKE_COMMAND}" --build "${elsewhere}/build")
run_elsewhere(${classify} "${video}" "${WORK}/config.yaml")
file(REMOVE_RECURSE "${elsewhere}")
if(NOT output MATCHES "[.]mp4: a [a-z ]+ [(][0-9.]+ %[)]\n[^\n]+config[.]yaml: failed: [^\n]+\n$")
  message(FATAL_ERROR "the example printed: ${output}")
endif()

file(REMOVE "${share}/bpe_simple_vocab_16e6.txt.gz")  # which may be a link
file(WRITE "${share}/bpe_simple_vocab_16e6.txt.gz" "no vocabulary")
execute_process(COMMAND ${step} "${WORK}/damaged" RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(FIND "${output}" "installed/share/actionclip/bpe_simple_vocab_16e6.txt.gz" place)
if(code EQUAL 0 OR place EQUAL -1)
  message(FATAL_ERROR "the installed program does not read the installed vocabulary: it ended with ${code}\n${output}")
endif()
file(REMOVE_RECURSE "${WORK}")
