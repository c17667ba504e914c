# What `cmake --install` puts where, in three components:
#   programs   bin/cidbus*
#   library    include/cidbus, the static rooms it stands on, and the package find_package(cidbus) finds
#   python     lib/python3.x/dist-packages/cidbus (node/python/CMakeLists.txt)
#
# The package names cidbus::client, cidbus::worker and cidbus::cluster. Which rooms those need is read from their targets, so a new room
# below them is installed without a word here; a new library of Debian's is named in cidbus-config.cmake.

# Appends a room and all that it links to `result`, each once.
function(cidbus_collect_rooms room result)
  if(room IN_LIST ${result})
    return()
  endif()
  list(APPEND ${result} ${room})
  foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(libraries ${room} ${property})
    foreach(library IN LISTS libraries)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
      if(library MATCHES "^cidbus_")
        cidbus_collect_rooms(${library} ${result})
      endif()
    endforeach()
  endforeach()
  set(${result} ${${result}} PARENT_SCOPE)
endfunction()

include(CMakePackageConfigHelpers)
cidbus_collect_rooms(cidbus_client_library rooms)
cidbus_collect_rooms(cidbus_worker_library rooms)
cidbus_collect_rooms(cidbus_cluster_library rooms)
set_target_properties(cidbus_client_library PROPERTIES EXPORT_NAME client)
set_target_properties(cidbus_worker_library PROPERTIES EXPORT_NAME worker)
set_target_properties(cidbus_cluster_library PROPERTIES EXPORT_NAME cluster)
target_compile_features(cidbus_client_library PUBLIC cxx_std_20)

set(package lib/cmake/cidbus)
install(TARGETS ${rooms} EXPORT cidbus ARCHIVE DESTINATION lib/cidbus COMPONENT library)
install(EXPORT cidbus FILE cidbus-targets.cmake NAMESPACE cidbus:: DESTINATION ${package} COMPONENT library)
install(DIRECTORY client/include/cidbus DESTINATION include COMPONENT library)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cidbus-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/cidbus-config.cmake ${CMAKE_BINARY_DIR}/cidbus-config-version.cmake
        DESTINATION ${package} COMPONENT library)
