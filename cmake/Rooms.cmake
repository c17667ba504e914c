# A room is a folder, a static library cidbus_<name>, and a test program <name>_test from the *_test.cpp beside its
# code. Include paths start at the repository's root: #include "shared/base/ids.h".
#
#   cidbus_room(NAME [LIBS ...] [PRIVATE_LIBS ...] [TEST_LIBS ...])   in the room's own CMakeLists.txt
#   cidbus_program(NAME LIBS ...)                                     main.cpp of this folder -> the binary NAME
#   cidbus_program(... COMMANDS WORD ...)                             those with command lines and manual pages of their own

# So that a room can stand in a shared object (the Python module) as well as in a program, compiled once for both. Without
# interposition, which nobody needs here, calls within a file stay as quick as in a program's own code.
function(cidbus_position_independent target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endfunction()

function(cidbus_room name)
  cmake_parse_arguments(ROOM "" "" "LIBS;PRIVATE_LIBS;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  if(sources)
    add_library(cidbus_${name} STATIC ${sources})
    cidbus_position_independent(cidbus_${name})
    set(scope PUBLIC)
  else()
    add_library(cidbus_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(cidbus_${name} ${scope} $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_link_libraries(cidbus_${name} ${scope} ${ROOM_LIBS})
  if(ROOM_PRIVATE_LIBS)
    target_link_libraries(cidbus_${name} PRIVATE ${ROOM_PRIVATE_LIBS})
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE cidbus_${name} ${ROOM_TEST_LIBS} GTest::gmock_main)
    target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)  # a fifth off; what they test keeps -O2
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()

# The public headers, for a room that implements them. The room itself and its test see their names in cidbus::v1
# alone (client/include/cidbus/namespace.h).
function(cidbus_public_headers name)
  target_include_directories(cidbus_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/client/include> $<INSTALL_INTERFACE:include>)
  foreach(target cidbus_${name} ${name}_test)
    if(TARGET ${target})
      target_compile_definitions(${target} PRIVATE CIDBUS_LIBRARY_SOURCE)
    endif()
  endforeach()
endfunction()

function(cidbus_program name)
  cmake_parse_arguments(PROGRAM "" "" "LIBS;COMMANDS" ${ARGN})
  add_executable(${name} main.cpp)
  target_link_libraries(${name} PRIVATE ${PROGRAM_LIBS})
  add_custom_command(TARGET ${name} POST_BUILD COMMAND ${name} --describe-man ${CMAKE_BINARY_DIR}/man)
  foreach(command IN LISTS PROGRAM_COMMANDS)
    add_custom_command(TARGET ${name} POST_BUILD COMMAND ${name} ${command} --describe-man ${CMAKE_BINARY_DIR}/man)
  endforeach()
  install(TARGETS ${name} COMPONENT programs)
endfunction()
