// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that a back end may call on its own. They are linked into every image, so that kernels import
// nothing; the linker drops what is not used.
#include <stddef.h>
#include <stdint.h>

extern "C" {
__attribute__((visibility("hidden"))) void *memcpy(void *to, const void *from, size_t n) {
  char *d = (char *)to;
  const char *s = (const char *)from;
  for (size_t i = 0; i < n; ++i)
    d[i] = s[i];
  return to;
}
__attribute__((visibility("hidden"))) void *memset(void *to, int value, size_t n) {
  char *d = (char *)to;
  for (size_t i = 0; i < n; ++i)
    d[i] = (char)value;
  return to;
}
__attribute__((visibility("hidden"))) void *memmove(void *to, const void *from, size_t n) {
  char *d = (char *)to;
  const char *s = (const char *)from;
  if ((uintptr_t)d < (uintptr_t)s)
    for (size_t i = 0; i < n; ++i)
      d[i] = s[i];
  else
    for (size_t i = n; i > 0; --i)
      d[i - 1] = s[i - 1];
  return to;
}

// f32 to bf16, to nearest, ties to even; not-a-numbers stay so. Generated code rounds by itself, but a back end without
// bf16 widens and rounds what it only moves.
__attribute__((visibility("hidden"))) __bf16 __truncsfbf2(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return __builtin_bit_cast(__bf16, (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded));
}
}
