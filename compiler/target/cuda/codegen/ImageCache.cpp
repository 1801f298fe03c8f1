// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Internal.h. A file per image: "INGOTIMG", the log's size (u64), XXH3-64 of all that follows, the log, the image. A file
// appears whole or not at all, so two compilations at once never see half of one. The cache holds at most 1 GiB.
#include "compiler/engine/output_file.h"
#include "compiler/target/cuda/codegen/Internal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace ingot::target::cuda {

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

ImageCache::ImageCache() {
  const std::string base = cacheDirectory();
  if (base.empty())
    return;
  std::error_code error;
  fs::create_directories(base + "/cuda", error);
  if (!error)
    directory = base + "/cuda";
}

bool ImageCache::find(const std::string &key, std::vector<uint8_t> &image, std::string &log) const {
  if (directory.empty())
    return false;
  const fs::path path = fs::path(directory) / key;
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  uint64_t logBytes, sum;
  if (bytes.size() < kHeader || std::memcmp(bytes.data(), kMagic, 8) != 0)
    return false;
  std::memcpy(&logBytes, bytes.data() + 8, 8);
  std::memcpy(&sum, bytes.data() + 16, 8);
  if (logBytes > bytes.size() - kHeader || sum != XXH3_64bits(bytes.data() + kHeader, bytes.size() - kHeader))
    return false;
  log.assign(bytes, kHeader, logBytes);
  image.assign(bytes.begin() + std::ptrdiff_t(kHeader + logBytes), bytes.end());
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error); // it was used
  return true;
}

void ImageCache::keep(const std::string &key, const std::vector<uint8_t> &image, const std::string &log) const {
  if (directory.empty())
    return;
  std::string body = log;
  body.append(image.begin(), image.end());
  const uint64_t logBytes = log.size(), sum = XXH3_64bits(body.data(), body.size());
  std::string header(kMagic, 8);
  header.append(reinterpret_cast<const char *>(&logBytes), 8);
  header.append(reinterpret_cast<const char *>(&sum), 8);
  engine::OutputFile file; // a full disk is no reason to fail
  if (file.create(fs::path(directory) / key, header.size() + body.size()).empty() &&
      file.write(0, header.data(), header.size()).empty() && file.write(header.size(), body.data(), body.size()).empty())
    file.commit();
  trim(directory);
}

std::string keyOf(const std::vector<std::string_view> &texts) {
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

} // namespace ingot::target::cuda
