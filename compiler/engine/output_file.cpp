// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace ingot::engine {

namespace {

std::string directoryOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

std::string OutputFile::describe(const char *what, int error) const {
  std::string text = std::string("cannot ") + what + " " + path + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    text += "; the engine needs " + std::to_string(bytes) + " bytes";
    struct statvfs info;
    if (::statvfs(directoryOf(path).c_str(), &info) == 0)
      text += ", " + std::to_string(uint64_t(info.f_bavail) * info.f_frsize) + " are free in " + directoryOf(path);
    text += "; free some space or choose another place with -o";
  }
  return text;
}

std::string OutputFile::create(const std::string &finalPath, uint64_t size) {
  path = finalPath;
  bytes = size;
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return "cannot write " + path + ": it exists and is no regular file; choose another name with -o";
  const std::string directory = directoryOf(path);
  temporary = path + ".tmp." + std::to_string(::getpid());
  descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    descriptor = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor < 0)
      return describe("create", errno);
    named = true;
  }
  if (bytes > 0 && ::fallocate(descriptor, 0, 0, off_t(bytes)) != 0 && errno != EOPNOTSUPP && errno != ENOSYS &&
      errno != EINTR)
    return describe("write", errno);
  return "";
}

std::string OutputFile::put(uint64_t offset, const uint8_t *from, uint64_t size) {
  while (size > 0) {
    ssize_t done = ::pwrite(descriptor, from, std::min<uint64_t>(size, 1u << 30), off_t(offset));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return describe("write", done < 0 ? errno : ENOSPC);
    from += done;
    offset += uint64_t(done);
    size -= uint64_t(done);
  }
  return "";
}

std::string OutputFile::flush() {
  std::string error = put(start, pending.data(), pending.size());
  start += pending.size();
  pending.clear();
  return error;
}

std::string OutputFile::write(uint64_t offset, const void *data, uint64_t size) {
  const auto *from = static_cast<const uint8_t *>(data);
  if (offset != start + pending.size()) {
    if (std::string error = flush(); !error.empty())
      return error;
    start = offset;
  }
  // Up to the block's end, then whole blocks as they come, then what begins the next.
  while (size > 0) {
    const uint64_t left = kBlock - (start + pending.size()) % kBlock;
    if (pending.empty() && size >= left) {
      const uint64_t whole = left + (size - left) / kBlock * kBlock;
      if (std::string error = put(start, from, whole); !error.empty())
        return error;
      start += whole;
      from += whole;
      size -= whole;
      continue;
    }
    const uint64_t some = std::min(left, size);
    pending.insert(pending.end(), from, from + some);
    from += some;
    size -= some;
    if (some == left)
      if (std::string error = flush(); !error.empty())
        return error;
  }
  return "";
}

std::string OutputFile::commit() {
  if (std::string error = flush(); !error.empty())
    return error;
  if (!named) {
    std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    ::unlink(temporary.c_str()); // left by a killed process with this number
    if (::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return describe("name", errno);
    named = true;
  }
  int closed = ::close(descriptor);
  descriptor = -1;
  if (closed != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    int error = errno;
    ::unlink(temporary.c_str());
    return describe("finish", error);
  }
  return "";
}

OutputFile::~OutputFile() {
  if (descriptor < 0)
    return;
  ::close(descriptor);
  if (named)
    ::unlink(temporary.c_str());
}

} // namespace ingot::engine
