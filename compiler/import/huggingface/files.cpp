// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See files.h.
#include "compiler/import/huggingface/files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::huggingface {

InputFile::InputFile(std::string where) : path(std::move(where)) {
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    failure = path + ": cannot be opened: " + std::strerror(errno);
    return;
  }
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    failure = path + ": cannot be examined: " + std::strerror(errno);
  else if (!S_ISREG(status.st_mode))
    failure = path + ": is not a regular file";
  else
    bytes = static_cast<uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
}

bool InputFile::read(uint64_t offset, uint64_t count, std::string &out) {
  if (!failure.empty())
    return false;
  out.resize(count);
  uint64_t done = 0;
  while (done < count) {
    ssize_t got = ::pread(descriptor, out.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      failure = path + ": cannot be read: " +
                (got < 0 ? std::string(std::strerror(errno))
                         : "it ends at byte " + std::to_string(offset + done) + " while it is being read");
      return false;
    }
    done += static_cast<uint64_t>(got);
  }
  return true;
}

bool fileExists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

std::optional<std::string> readText(const std::string &path, Messages &messages) {
  constexpr uint64_t kLimit = 256ull << 20;
  InputFile input(path);
  std::string text;
  if (input.size() > kLimit) {
    messages.problems.push_back(path + ": has " + std::to_string(input.size()) + " bytes, expected at most " +
                                std::to_string(kLimit));
    return std::nullopt;
  }
  if (!input.read(0, input.size(), text)) {
    messages.problems.push_back(input.error());
    return std::nullopt;
  }
  if (isLfsPointer(text)) {
    messages.problems.push_back(
        path + ": this is a Git LFS pointer, not the file; run `git lfs pull` in the checkpoint's folder");
    return std::nullopt;
  }
  return text;
}

std::optional<Json> readJsonObject(const std::string &path, Messages &messages) {
  std::optional<std::string> text = readText(path, messages);
  if (!text)
    return std::nullopt;
  std::string error;
  std::optional<Json> value = parseJson(*text, error);
  if (!value) {
    messages.problems.push_back(path + ": is not valid JSON: " + error);
    return std::nullopt;
  }
  if (!value->is_object()) {
    messages.problems.push_back(path + ": holds " + described(*value) + ", expected an object");
    return std::nullopt;
  }
  return value;
}

bool isLfsPointer(std::string_view start) { return start.starts_with("version https://git-lfs"); }

} // namespace ingot::huggingface
