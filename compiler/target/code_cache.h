// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code that former compilations generated, kept in the user's cache directory ($INGOT_CACHE_DIR, $XDG_CACHE_HOME/ingot or
// ~/.cache/ingot) by the hash of all that made it, so that a model whose kernels are known compiles without generating code.
// Safe among threads and processes; what is damaged is not found; what was used least recently goes when there is too much.
#ifndef INGOT_COMPILER_TARGET_CODE_CACHE_H
#define INGOT_COMPILER_TARGET_CODE_CACHE_H

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::target {

class CodeCache {
public:
  // `kind` is the folder in the cache directory. Off where no directory can be had or INGOT_CACHE_DIR is empty.
  explicit CodeCache(const std::string &kind);
  CodeCache(const CodeCache &) = delete;
  CodeCache &operator=(const CodeCache &) = delete;
  ~CodeCache(); // removes what is too much, if anything was kept

  // `notes`: text beside the code, as it was kept.
  bool find(const std::string &key, std::vector<uint8_t> &code, std::string &notes) const;
  void keep(const std::string &key, const std::vector<uint8_t> &code, const std::string &notes);

private:
  std::string directory; // empty: off
  std::atomic<bool> kept{false};
};

// A hash of texts, for keys and for names by content: 32 hexadecimal digits (XXH3-128).
std::string hashOf(const std::vector<std::string_view> &texts);

// What tells the build of the program or library that holds `function` from all others (its linker's build ID, elf(5)).
// Empty where it has none.
std::string buildIdOf(const void *function);

} // namespace ingot::target

#endif
