// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file per piece of code: "INGOTIMG", the notes' size (u64), XXH3-64 of all that follows, the notes, the code. A file
// appears whole or not at all, so two compilations at once never see half of one. Each kind holds at most 1 GiB.
#include "compiler/target/code_cache.h"
#include "compiler/engine/output_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>
#include <link.h>

namespace ingot::target {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostBytes = 1ull << 30;
constexpr char kMagic[8] = {'I', 'N', 'G', 'O', 'T', 'I', 'M', 'G'};
constexpr size_t kHeader = 24;

std::string cacheDirectory() {
  if (const char *named = std::getenv("INGOT_CACHE_DIR"))
    return named; // empty: no cache
  if (const char *base = std::getenv("XDG_CACHE_HOME"); base && *base)
    return std::string(base) + "/ingot";
  if (const char *home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.cache/ingot";
  return "";
}

// Removes the files that were used least recently until the rest fits.
void trim(const fs::path &directory) {
  struct Kept {
    fs::path path;
    fs::file_time_type used;
    uint64_t bytes;
  };
  std::vector<Kept> files;
  uint64_t total = 0;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(directory, error)) {
    if (!entry.is_regular_file(error) || error)
      continue;
    const uint64_t bytes = entry.file_size(error);
    if (error)
      continue; // gone meanwhile
    files.push_back({entry.path(), entry.last_write_time(error), bytes});
    total += bytes;
  }
  std::sort(files.begin(), files.end(), [](const Kept &a, const Kept &b) { return a.used < b.used; });
  for (const Kept &file : files) {
    if (total <= kMostBytes)
      break;
    fs::remove(file.path, error);
    total -= file.bytes;
  }
}

} // namespace

CodeCache::CodeCache(const std::string &kind) {
  const std::string base = cacheDirectory();
  if (base.empty())
    return;
  const fs::path folder = fs::path(base) / kind;
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error)
    directory = folder;
}

CodeCache::~CodeCache() {
  if (kept)
    trim(directory);
}

bool CodeCache::find(const std::string &key, std::vector<uint8_t> &code, std::string &notes) const {
  if (directory.empty())
    return false;
  const fs::path path = fs::path(directory) / key;
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  uint64_t notesBytes, sum;
  if (bytes.size() < kHeader || std::memcmp(bytes.data(), kMagic, 8) != 0)
    return false;
  std::memcpy(&notesBytes, bytes.data() + 8, 8);
  std::memcpy(&sum, bytes.data() + 16, 8);
  if (notesBytes > bytes.size() - kHeader || sum != XXH3_64bits(bytes.data() + kHeader, bytes.size() - kHeader))
    return false;
  notes.assign(bytes, kHeader, notesBytes);
  code.assign(bytes.begin() + std::ptrdiff_t(kHeader + notesBytes), bytes.end());
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error); // it was used
  return true;
}

void CodeCache::keep(const std::string &key, const std::vector<uint8_t> &code, const std::string &notes) {
  if (directory.empty())
    return;
  std::string body = notes;
  body.append(code.begin(), code.end());
  const uint64_t notesBytes = notes.size(), sum = XXH3_64bits(body.data(), body.size());
  std::string header(kMagic, 8);
  header.append(reinterpret_cast<const char *>(&notesBytes), 8);
  header.append(reinterpret_cast<const char *>(&sum), 8);
  engine::OutputFile file; // a full disk is no reason to fail
  if (file.create(fs::path(directory) / key, header.size() + body.size()).empty() &&
      file.write(0, header.data(), header.size()).empty() && file.write(header.size(), body.data(), body.size()).empty())
    file.commit();
  kept = true;
}

std::string hashOf(const std::vector<std::string_view> &texts) {
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (std::string_view text : texts) {
    const uint64_t size = text.size();
    XXH3_128bits_update(state, &size, sizeof(size));
    XXH3_128bits_update(state, text.data(), text.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  char digits[33];
  std::snprintf(digits, sizeof(digits), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits;
}

namespace {

// Of the loaded object that an address lies in: the notes of its segments (elf(5)), looked through for the build ID.
struct Search {
  uintptr_t inside;
  std::string found;
};

int searchObject(dl_phdr_info *info, size_t, void *data) {
  Search &search = *static_cast<Search *>(data);
  bool ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    const uintptr_t at = info->dlpi_addr + segment.p_vaddr;
    ours |= segment.p_type == PT_LOAD && search.inside >= at && search.inside - at < segment.p_memsz;
  }
  for (int i = 0; ours && i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE)
      continue;
    auto aligned = [](size_t bytes) { return (bytes + 3) / 4 * 4; };
    const char *note = reinterpret_cast<const char *>(info->dlpi_addr + segment.p_vaddr), *end = note + segment.p_memsz;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) header;
      std::memcpy(&header, note, sizeof(header));
      const char *name = note + sizeof(header), *body = name + aligned(header.n_namesz);
      if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        search.found.assign(body, header.n_descsz);
        return 1;
      }
      note = body + aligned(header.n_descsz);
    }
  }
  return ours;
}

} // namespace

std::string buildIdOf(const void *function) {
  Search search{reinterpret_cast<uintptr_t>(function), {}};
  dl_iterate_phdr(searchObject, &search);
  return search.found;
}

} // namespace ingot::target
