# Language level, warnings as errors, sanitizers, and what makes builds quick.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror -fno-strict-aliasing)

# x86-64-v2 has the CRC32C instruction (SSE4.2); every 64-bit server since 2009 does.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2)
endif()

set(CIDBUS_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
if(CIDBUS_SANITIZE)
  add_compile_options(-fsanitize=${CIDBUS_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${CIDBUS_SANITIZE})
  if(CIDBUS_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)  # Boost.Asio has a fence that ThreadSanitizer does not see: no error of ours
  endif()
  # Under instrumentation g++ 12 no longer sees that Asio's coroutine frames have an operator new of their own, and
  # takes parts of tl::expected and captures of lambdas for uninitialised. The release build keeps both warnings.
  add_compile_options(-Wno-mismatched-new-delete -Wno-maybe-uninitialized)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
