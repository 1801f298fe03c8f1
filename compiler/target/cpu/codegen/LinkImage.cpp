// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects become one flat image: lld, as a library, makes a shared object whose only loaded contents are one
// read-execute segment; that segment is the image. What would need a loader (dynamic relocations, undefined symbols,
// writable data, thread-local storage) is an internal error that names it. lld keeps global state, so links take turns.
#include "compiler/target/cpu/codegen/Internal.h"
#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

namespace ingot::target::cpu {
namespace {

// A folder of our own that is gone afterwards.
class TemporaryFolder {
public:
  TemporaryFolder() { failed = llvm::sys::fs::createUniqueDirectory("ingot-link", path); }
  ~TemporaryFolder() {
    if (!failed)
      llvm::sys::fs::remove_directories(path);
  }
  std::error_code failed;
  std::string file(const llvm::Twine &name) const {
    llvm::SmallString<128> full(path);
    llvm::sys::path::append(full, name);
    return std::string(full);
  }

private:
  llvm::SmallString<128> path;
};

bool extract(llvm::MemoryBufferRef linked, llvm::ArrayRef<std::string> symbols, std::vector<uint8_t> &image,
             std::vector<uint32_t> &offsets, std::string &error) {
  auto file = llvm::object::ELF64LEFile::create(linked.getBuffer());
  if (!file) {
    error = "internal error: the linked kernels are no ELF file: " + llvm::toString(file.takeError());
    return false;
  }
  auto headers = file->program_headers();
  auto sections = file->sections();
  if (!headers || !sections) {
    error = "internal error: the linked kernels lack headers";
    llvm::consumeError(headers.takeError());
    llvm::consumeError(sections.takeError());
    return false;
  }
  for (const auto &section : *sections) {
    std::string name = "?";
    if (auto found = file->getSectionName(section))
      name = found->str();
    else
      llvm::consumeError(found.takeError());
    bool relocations = section.sh_type == llvm::ELF::SHT_REL || section.sh_type == llvm::ELF::SHT_RELA ||
                       section.sh_type == llvm::ELF::SHT_RELR;
    if (relocations && section.sh_size != 0) {
      error = "internal error: kernels need relocation at load (section " + name + ")";
      return false;
    }
    bool writable = (section.sh_flags & llvm::ELF::SHF_ALLOC) && (section.sh_flags & llvm::ELF::SHF_WRITE) &&
                    section.sh_type != llvm::ELF::SHT_DYNAMIC && section.sh_size != 0;
    if (name == ".relro_padding")
      writable = false;
    if (writable) {
      error = "internal error: kernels have writable data (section " + name + ")";
      return false;
    }
  }
  uint64_t base = 0, size = 0;
  for (const auto &header : *headers) {
    if (header.p_type == llvm::ELF::PT_TLS) {
      error = "internal error: kernels have thread-local data";
      return false;
    }
    if (header.p_type != llvm::ELF::PT_LOAD || !(header.p_flags & llvm::ELF::PF_X))
      continue;
    if (size != 0) {
      error = "internal error: kernels were linked to more than one segment of code";
      return false;
    }
    base = header.p_vaddr;
    size = header.p_filesz;
    image.assign(file->base() + header.p_offset, file->base() + header.p_offset + size);
  }
  for (const auto &header : *headers)
    if (header.p_type == llvm::ELF::PT_LOAD && !(header.p_flags & llvm::ELF::PF_W) &&
        !(header.p_flags & llvm::ELF::PF_X)) {
      error = "internal error: kernels have data outside their segment of code";
      return false;
    }
  image.resize((image.size() + 4095) / 4096 * 4096, 0);
  offsets.assign(symbols.size(), 0xffffffffu);
  for (const auto &section : *sections) {
    if (section.sh_type != llvm::ELF::SHT_DYNSYM)
      continue;
    auto table = file->symbols(&section);
    auto names = file->getStringTableForSymtab(section);
    if (!table || !names) {
      error = "internal error: the linked kernels lack their symbols";
      llvm::consumeError(table.takeError());
      llvm::consumeError(names.takeError());
      return false;
    }
    for (const auto &entry : *table) {
      auto name = entry.getName(*names);
      if (!name) {
        llvm::consumeError(name.takeError());
        continue;
      }
      for (size_t i = 0; i < symbols.size(); ++i)
        if (*name == symbols[i] && entry.st_shndx != llvm::ELF::SHN_UNDEF)
          offsets[i] = static_cast<uint32_t>(entry.st_value - base);
    }
  }
  for (size_t i = 0; i < symbols.size(); ++i)
    if (offsets[i] >= size) {
      error = "internal error: symbol " + symbols[i] + " is not in the linked kernels";
      return false;
    }
  return true;
}

} // namespace

bool linkImage(llvm::ArrayRef<llvm::StringRef> objects, llvm::ArrayRef<std::string> symbols,
               std::vector<uint8_t> &image, std::vector<uint32_t> &offsets, std::string &error) {
  TemporaryFolder folder;
  if (folder.failed) {
    error = "cannot make a temporary folder to link kernels in: " + folder.failed.message();
    return false;
  }
  std::vector<std::string> paths;
  for (size_t i = 0; i < objects.size(); ++i) {
    paths.push_back(folder.file("k" + llvm::Twine(i) + ".o"));
    std::error_code failed;
    llvm::raw_fd_ostream out(paths.back(), failed);
    if (!failed) {
      out << objects[i];
      out.close();
      failed = out.error();
    }
    if (failed) {
      out.clear_error();
      error = "cannot write '" + paths.back() + "' to link kernels: " + failed.message();
      return false;
    }
  }
  std::string output = folder.file("kernels.so");
  std::vector<const char *> arguments = {"ld.lld",
                                         "-shared",
                                         "--no-undefined",
                                         "-Bsymbolic",
                                         "--no-rosegment",
                                         "--gc-sections",
                                         "-z",
                                         "max-page-size=4096",
                                         "-z",
                                         "norelro",
                                         "--hash-style=sysv",
                                         "--build-id=none",
                                         "-z",
                                         "nognustack",
                                         "--threads=1",
                                         "--strip-all",
                                         "-o",
                                         output.c_str()};
  for (const std::string &path : paths)
    arguments.push_back(path.c_str());
  std::string log;
  llvm::raw_string_ostream logStream(log);
  {
    static std::mutex turn;
    std::lock_guard<std::mutex> lock(turn);
    lld::Result result = lld::lldMain(arguments, logStream, logStream, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0) {
      error = "internal error: kernels do not link: " + log;
      return false;
    }
  }
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked) {
    error = "cannot read '" + output + "': " + linked.getError().message();
    return false;
  }
  return extract((*linked)->getMemBufferRef(), symbols, image, offsets, error);
}

} // namespace ingot::target::cpu
