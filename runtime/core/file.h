// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files as the runtime uses them: mapped read-only, read in part, and written under a temporary name that becomes
// the final one only when everything is on disk. All paths are UTF-8; all errors name the path.
#ifndef INGOT_RUNTIME_CORE_FILE_H
#define INGOT_RUNTIME_CORE_FILE_H

#include "runtime/core/error.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

// An open file descriptor of a regular file and its size at the time it was opened.
class File {
public:
  // Opens for reading. Directories, pipes and devices are refused.
  static Result<File> open(const std::string &path);

  File(File &&other) noexcept;
  File &operator=(File &&other) noexcept;
  ~File();

  int descriptor() const { return fd; }
  uint64_t size() const { return bytes; }
  const std::string &path() const { return name; }

  // Reads exactly `into.size()` bytes at `offset`; a file that ends before them is Corrupt.
  Result<void> readAt(uint64_t offset, std::span<uint8_t> into) const;

private:
  File(int fd, uint64_t bytes, std::string name) : fd(fd), bytes(bytes), name(std::move(name)) {}
  int fd;
  uint64_t bytes;
  std::string name;
};

// A whole file mapped read-only. The bytes stay valid as long as this object and the address never changes. Whoever
// truncates a file in place while it is mapped kills its readers (SIGBUS): replace engines by renaming.
class MappedFile {
public:
  static Result<std::shared_ptr<const MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const uint8_t> bytes() const { return contents; }
  const File &file() const { return source; }
  const std::string &path() const { return source.path(); }

private:
  MappedFile(File source, std::span<const uint8_t> contents) : source(std::move(source)), contents(contents) {}
  File source;
  std::span<const uint8_t> contents;
};

// The whole of a small file; refuses one of more than `limit` bytes.
Result<std::string> readTextFile(const std::string &path, uint64_t limit = 1ull << 30);

// Writes a file so that it appears complete or not at all: bytes go to a temporary file beside it, which commit()
// renames over `path`; dropped without commit, the temporary file is removed.
class AtomicFile {
public:
  static Result<std::unique_ptr<AtomicFile>> create(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  // Appends. A full disk is ResourceExhausted.
  Result<void> write(std::span<const uint8_t> bytes);
  Result<void> write(std::string_view text);

  // Flushes and renames. Nothing may be written afterwards.
  Result<void> commit();

private:
  AtomicFile(int fd, std::string path, std::string temporary)
      : fd(fd), path(std::move(path)), temporary(std::move(temporary)) {}
  Result<void> flush(size_t bytes); // the first of what is pending
  int fd;
  std::string path;
  std::string temporary;
  std::vector<uint8_t> pending;
};

} // namespace ingot::runtime

#endif
