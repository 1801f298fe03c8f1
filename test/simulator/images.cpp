// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See images.h.
#include "test/simulator/images.h"

#include <cstring>
#include <elf.h>
#include <string_view>

namespace ingot::simulator {

ImageKind kindOf(const void *image) {
  const char *text = static_cast<const char *>(image);
  if (std::memcmp(text, ELFMAG, SELFMAG) == 0)
    return ImageKind::cubin;
  // PTX begins with comments and then its version.
  const char *end = std::strstr(text, "\n.version ");
  return end && end - text < 1000 ? ImageKind::ptx : ImageKind::source;
}

std::set<std::string> functionsOf(const void *image, ImageKind kind) {
  std::set<std::string> names;
  const char *bytes = static_cast<const char *>(image);
  if (kind == ImageKind::ptx) {
    constexpr std::string_view kEntry = ".entry ";
    for (const char *at = bytes; (at = std::strstr(at, kEntry.data()));) {
      at += kEntry.size();
      names.emplace(at, std::strcspn(at, " (\n"));
    }
    return names;
  }
  const auto *header = reinterpret_cast<const Elf64_Ehdr *>(bytes);
  const auto *sections = reinterpret_cast<const Elf64_Shdr *>(bytes + header->e_shoff);
  for (unsigned i = 0; kind == ImageKind::cubin && i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB)
      continue;
    const char *strings = bytes + sections[sections[i].sh_link].sh_offset;
    const auto *symbols = reinterpret_cast<const Elf64_Sym *>(bytes + sections[i].sh_offset);
    for (uint64_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); ++s)
      if (ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC && ELF64_ST_BIND(symbols[s].st_info) == STB_GLOBAL)
        names.insert(strings + symbols[s].st_name);
  }
  return names;
}

} // namespace ingot::simulator
