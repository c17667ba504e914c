# cmake "-DFILES=A;B" -DOUTPUT=X.cpp -P EmbedFiles.cmake: C++ with the bytes of the files, for observer/web/page_files.h.

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} digits HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${digits}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "constexpr std::uint8_t file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", file_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"observer/web/page_files.h\"

#include <array>
#include <cstdint>

namespace cidbus {
namespace {

${arrays}
constexpr std::array<PageFile, ${number}> files{{
${rows}}};

}  // namespace

std::span<const PageFile> page_files() { return files; }

}  // namespace cidbus
")
