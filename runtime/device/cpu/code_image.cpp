// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See code_image.h.
#include "runtime/device/cpu/code_image.h"

#include "runtime/core/memory.h"

#include <cerrno>
#include <sys/mman.h>

namespace ingot::runtime {

Result<CodeImage> CodeImage::map(const File &file, uint64_t offset, uint64_t size) {
  void *address = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.descriptor(), off_t(offset));
  if (address != MAP_FAILED)
    return CodeImage(static_cast<uint8_t *>(address), size);
  bool refused = errno == EPERM || errno == EACCES;
  return makeError(refused ? ErrorCode::Unsupported : ErrorCode::ResourceExhausted,
                   "%s: cannot map %s of machine code at byte %llu: %s%s", file.path().c_str(),
                   humanBytes(size).c_str(), static_cast<unsigned long long>(offset), systemReason(errno).c_str(),
                   refused ? "; the file system is mounted noexec or a policy forbids it: move the engine elsewhere"
                           : "");
}

CodeImage::~CodeImage() {
  if (base)
    munmap(base, length);
}

ingot_kernel CodeImage::function(uint32_t offset) const { return reinterpret_cast<ingot_kernel>(base + offset); }

} // namespace ingot::runtime
