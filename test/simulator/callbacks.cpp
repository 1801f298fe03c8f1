// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code compiled with -fsanitize=thread calls at each load and store, and with -fsanitize=alignment where an
// address does not fit the type of what lies there (loads and stores of whole structures do not show it otherwise).
// LLVM's own runtime of these names is not linked.
#include "test/simulator/block.h"
#include "test/simulator/memory.h"

#include <cstring>

#define INGOT_CALLBACK extern "C" __attribute__((visibility("default")))

using ingot::simulator::checkAccess;

#define INGOT_ACCESSES(bytes)                                                                                          \
  INGOT_CALLBACK void __tsan_read##bytes(void *address) { checkAccess(address, bytes, false, true); }                  \
  INGOT_CALLBACK void __tsan_write##bytes(void *address) { checkAccess(address, bytes, true, true); }                  \
  INGOT_CALLBACK void __tsan_unaligned_read##bytes(void *address) { checkAccess(address, bytes, false, false); }       \
  INGOT_CALLBACK void __tsan_unaligned_write##bytes(void *address) { checkAccess(address, bytes, true, false); }       \
  INGOT_CALLBACK void __tsan_read_write##bytes(void *address) {                                                        \
    checkAccess(address, bytes, false, true);                                                                          \
    checkAccess(address, bytes, true, true);                                                                           \
  }                                                                                                                    \
  INGOT_CALLBACK void __tsan_unaligned_read_write##bytes(void *address) {                                              \
    checkAccess(address, bytes, false, false);                                                                         \
    checkAccess(address, bytes, true, false);                                                                          \
  }
INGOT_ACCESSES(1)
INGOT_ACCESSES(2)
INGOT_ACCESSES(4)
INGOT_ACCESSES(8)
INGOT_ACCESSES(16)

INGOT_CALLBACK void __tsan_init() {}
INGOT_CALLBACK void __tsan_func_entry(void *) {}
INGOT_CALLBACK void __tsan_func_exit() {}
INGOT_CALLBACK void __tsan_vptr_update(void **, void *) {}
INGOT_CALLBACK void __tsan_vptr_read(void **) {}
INGOT_CALLBACK void __tsan_ignore_thread_begin() {}
INGOT_CALLBACK void __tsan_ignore_thread_end() {}
INGOT_CALLBACK void __tsan_read_range(void *address, unsigned long bytes) {
  if (bytes)
    checkAccess(address, bytes, false, false);
}
INGOT_CALLBACK void __tsan_write_range(void *address, unsigned long bytes) {
  if (bytes)
    checkAccess(address, bytes, true, false);
}
INGOT_CALLBACK void *__tsan_memcpy(void *to, const void *from, unsigned long bytes) {
  if (bytes == 16) { // a Vector16 is assigned
    checkAccess(from, bytes, false, true);
    checkAccess(to, bytes, true, true);
    return std::memcpy(to, from, bytes);
  }
  __tsan_read_range(const_cast<void *>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memcpy(to, from, bytes);
}
INGOT_CALLBACK void *__tsan_memmove(void *to, const void *from, unsigned long bytes) {
  __tsan_read_range(const_cast<void *>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memmove(to, from, bytes);
}
INGOT_CALLBACK void *__tsan_memset(void *to, int value, unsigned long bytes) {
  __tsan_write_range(to, bytes);
  return std::memset(to, value, bytes);
}

// The data that come with it begin with the name of the file and the line.
INGOT_CALLBACK void __ubsan_handle_type_mismatch_v1(const void *data, unsigned long address) {
  struct Where {
    const char *file;
    unsigned line, column;
  };
  const auto *where = static_cast<const Where *>(data);
  const char *name = std::strrchr(where->file, '/');
  if (ingot::simulator::Block *block = ingot::simulator::running(); block && !block->stopped)
    block->find("takes " + ingot::simulator::placeName(reinterpret_cast<void *>(address)) +
                " for what is not aligned so, in " + (name ? name + 1 : where->file) + ":" +
                std::to_string(where->line));
}
