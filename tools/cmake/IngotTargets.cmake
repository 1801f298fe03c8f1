# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How Ingot's targets are built: one set of warnings (all errors), sanitizers, and for the compiler one
# precompiled header of MLIR shared by every library.

add_library(ingot_options INTERFACE)
target_compile_options(ingot_options INTERFACE -Wall -Wextra -Werror -Wno-unused-parameter -fno-strict-aliasing)
target_include_directories(ingot_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(INGOT_SANITIZE)
  target_compile_options(ingot_options INTERFACE -fsanitize=${INGOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ingot_options INTERFACE -fsanitize=${INGOT_SANITIZE})
endif()

# ingot_add_library(NAME source... [LINK lib...]): a static library of the runtime or of MLIR-free compiler parts.
function(ingot_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ingot_options Threads::Threads ${ARG_LINK})
endfunction()

# ingot_add_mlir_library(NAME source... [LINK lib...] [DEPENDS target...]): a static library that includes MLIR.
function(ingot_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  if(NOT TARGET ingot_mlir_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/mlir_pch.cpp "")
    add_library(ingot_mlir_pch STATIC ${CMAKE_BINARY_DIR}/mlir_pch.cpp)
    ingot_mlir_options(ingot_mlir_pch)
    target_precompile_headers(ingot_mlir_pch PRIVATE ${CMAKE_SOURCE_DIR}/tools/cmake/mlir_pch.h)
  endif()
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  ingot_mlir_options(${name})
  target_precompile_headers(${name} REUSE_FROM ingot_mlir_pch)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

function(ingot_mlir_options name)
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  separate_arguments(definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
  target_compile_options(${name} PRIVATE ${definitions})
  target_link_libraries(${name} PUBLIC ingot_options MLIR LLVM)
endfunction()
