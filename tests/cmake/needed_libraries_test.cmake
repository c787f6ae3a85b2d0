# Looks at the libraries that PROGRAM is loaded with.
#   cmake -D PROGRAM=build/release/bin/actionclip [-D WANTED=libnccl.so.2,...] [-D FORBIDDEN=regular-expression]
#         -P needed_libraries_test.cmake

cmake_minimum_required(VERSION 3.25)

find_program(READELF NAMES readelf llvm-readelf llvm-readelf-16 REQUIRED)
execute_process(COMMAND "${READELF}" --dynamic --wide "${PROGRAM}" OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[(]NEEDED[)][^\n]*" lines "${dynamic}")
set(needed)
foreach(line IN LISTS lines)
  string(REGEX REPLACE ".*[[](.*)[]].*" "\\1" library "${line}")
  list(APPEND needed "${library}")
endforeach()
if(NOT needed MATCHES "libtorch_cpu")
  message(FATAL_ERROR "${PROGRAM}: no libraries of a program on libtorch could be read: ${needed}")
endif()

string(REPLACE "," ";" wanted "${WANTED}")
foreach(library IN LISTS wanted)
  if(NOT library IN_LIST needed)
    message(FATAL_ERROR "${PROGRAM} is not linked with ${library}, but with ${needed}")
  endif()
endforeach()
foreach(library IN LISTS needed)
  if(FORBIDDEN AND library MATCHES "${FORBIDDEN}")
    message(FATAL_ERROR "${PROGRAM} needs ${library}, which it must do without (${FORBIDDEN})")
  endif()
endforeach()
