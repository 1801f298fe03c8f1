// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See file.h. POSIX only.
#include "runtime/core/file.h"

#include "runtime/core/memory.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::runtime {

// An error of the operating system about `path`.
static Error systemError(const std::string &path, const char *action, int number) {
  const char *advice = "";
  ErrorCode code = ErrorCode::Io;
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    code = ErrorCode::NotFound;
    advice = ": check the path";
    break;
  case EACCES:
  case EPERM:
    advice = ": check the permissions of the file and of its folders";
    break;
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    code = ErrorCode::ResourceExhausted;
    advice = ": free some space or write elsewhere";
    break;
  case EMFILE:
  case ENFILE:
  case ENOMEM:
    code = ErrorCode::ResourceExhausted;
    break;
  default:
    break;
  }
  return makeError(code, "%s: cannot %s: %s%s", path.c_str(), action, systemReason(number).c_str(), advice);
}

Result<File> File::open(const std::string &path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer before we can refuse it.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return systemError(path, "open", errno);
  File file(fd, 0, path);
  struct stat status;
  if (fstat(fd, &status) != 0)
    return systemError(path, "examine", errno);
  if (S_ISDIR(status.st_mode))
    return makeError(ErrorCode::InvalidArgument, "%s: is a directory, expected a file", path.c_str());
  if (!S_ISREG(status.st_mode))
    return makeError(ErrorCode::InvalidArgument, "%s: is not a regular file; pipes and devices cannot be mapped",
                     path.c_str());
  file.bytes = uint64_t(status.st_size);
  return file;
}

File::File(File &&other) noexcept : fd(other.fd), bytes(other.bytes), name(std::move(other.name)) { other.fd = -1; }

File &File::operator=(File &&other) noexcept {
  std::swap(fd, other.fd);
  std::swap(bytes, other.bytes);
  std::swap(name, other.name);
  return *this;
}

File::~File() {
  if (fd >= 0)
    ::close(fd);
}

Result<void> File::readAt(uint64_t offset, std::span<uint8_t> into) const {
  while (!into.empty()) {
    ssize_t got = ::pread(fd, into.data(), into.size(), off_t(offset));
    if (got < 0) {
      if (errno == EINTR)
        continue;
      return systemError(name, "read", errno);
    }
    if (got == 0)
      return makeError(ErrorCode::Corrupt, "%s: ends at byte %llu, %zu bytes short of what is needed: truncated?",
                       name.c_str(), static_cast<unsigned long long>(offset), into.size());
    offset += uint64_t(got);
    into = into.subspan(size_t(got));
  }
  return {};
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(File file, File::open(path));
  std::span<const uint8_t> contents;
  if (file.size() > 0) {
    void *address = mapAtLargePages(file.size(), PROT_READ, MAP_SHARED, file.descriptor());
    if (address == MAP_FAILED)
      return systemError(path, "map", errno);
    contents = {static_cast<const uint8_t *>(address), size_t(file.size())};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(std::move(file), contents));
}

MappedFile::~MappedFile() {
  if (!contents.empty())
    munmap(const_cast<uint8_t *>(contents.data()), contents.size());
}

Result<std::string> readTextFile(const std::string &path, uint64_t limit) {
  INGOT_ASSIGN_OR_RETURN(File file, File::open(path));
  if (file.size() > limit)
    return makeError(ErrorCode::InvalidArgument, "%s: is %llu bytes, expected at most %llu", path.c_str(),
                     static_cast<unsigned long long>(file.size()), static_cast<unsigned long long>(limit));
  std::string text(size_t(file.size()), '\0');
  INGOT_RETURN_IF_ERROR(file.readAt(0, {reinterpret_cast<uint8_t *>(text.data()), text.size()}));
  return text;
}

Result<std::unique_ptr<AtomicFile>> AtomicFile::create(const std::string &path) {
  struct stat status;
  bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    return makeError(ErrorCode::InvalidArgument, "%s: is a directory, expected the name of a file to write",
                     path.c_str());
  // A pipe or a device takes the bytes as they come.
  if (exists && !S_ISREG(status.st_mode)) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return systemError(path, "open for writing", errno);
    return std::unique_ptr<AtomicFile>(new AtomicFile(fd, path, ""));
  }
  std::string temporary = path + ".XXXXXX";
  int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0)
    return systemError(path, "create a temporary file beside it", errno);
  // mkostemp makes it private; the final file follows the umask like any other.
  mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, 0666 & ~mask);
  return std::unique_ptr<AtomicFile>(new AtomicFile(fd, path, std::move(temporary)));
}

AtomicFile::~AtomicFile() {
  if (fd < 0)
    return;
  ::close(fd);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Result<void> AtomicFile::write(std::span<const uint8_t> bytes) {
  pending.insert(pending.end(), bytes.begin(), bytes.end());
  // Whole blocks at once: each can be one large page of the system's page cache, by which a mapping is read faster.
  const size_t whole = pending.size() / kLargePage * kLargePage;
  return whole > 0 ? flush(whole) : Result<void>();
}

Result<void> AtomicFile::write(std::string_view text) {
  return write(std::span(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}

Result<void> AtomicFile::flush(size_t bytes) {
  std::span<const uint8_t> rest = std::span<const uint8_t>(pending).first(bytes);
  while (!rest.empty()) {
    ssize_t put = ::write(fd, rest.data(), rest.size());
    if (put < 0) {
      if (errno == EINTR)
        continue;
      return systemError(path, "write", errno);
    }
    rest = rest.subspan(size_t(put));
  }
  pending.erase(pending.begin(), pending.begin() + std::ptrdiff_t(bytes));
  return {};
}

Result<void> AtomicFile::commit() {
  INGOT_RETURN_IF_ERROR(flush(pending.size()));
  if (!temporary.empty()) {
    if (fsync(fd) != 0)
      return systemError(path, "write", errno);
    if (rename(temporary.c_str(), path.c_str()) != 0)
      return systemError(path, "rename the finished file to this name", errno);
  }
  ::close(fd);
  fd = -1;
  return {};
}

} // namespace ingot::runtime
