/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The contract between a compiled CPU kernel and the runtime that calls it. Included by the runtime,
 * by the microkernels that are compiled to bitcode, and by the code generator: plain C, no other include
 * than <stdint.h>. Changing it changes INGOT_KERNEL_ABI, which the engine file records.
 */
#ifndef INGOT_FORMAT_KERNEL_ABI_H
#define INGOT_FORMAT_KERNEL_ABI_H

#include <stdint.h>

#define INGOT_KERNEL_ABI 3
#define INGOT_KERNEL_ABI_OLDEST 2 /* whose kernels a runtime still calls: they cut rows as ingot_row_parts_abi2 says */

/* What a kernel may know of the machine and of the worker that runs it. One per worker, filled at load,
 * never written by kernels. Results never depend on it: it only steers blocking. */
typedef struct ingot_env {
  uint32_t abi;      /* INGOT_KERNEL_ABI */
  uint32_t worker;   /* 0 .. workers-1 */
  uint32_t workers;
  uint32_t streams;  /* parts of memory that a core reads fastest side by side; 0: unknown, as many as a kernel likes */
  uint64_t l1_bytes; /* data cache sizes that one worker may count on */
  uint64_t l2_bytes;
  uint64_t l3_bytes;
} ingot_env;

/* Products of many rows: where a launch states its rows (plan.fbs), each of its tiles is cut in parts of neighbouring
 * rows: so many that even 8 units a worker are there, of 32 rows at least; and of 256 rows and more one part a worker,
 * which then reads no other rows, and weights when the others read them. The tile space is then tiles * parts, part by
 * part, so that a worker's range is a block of panels by rows; part i of `parts` has rows
 * [rows * i / parts, rows * (i + 1) / parts). One worker or few rows: 1. */
static inline uint32_t ingot_row_parts_abi2(int64_t rows, uint32_t tiles, uint32_t workers) {
  uint64_t wanted = tiles ? ((uint64_t)workers * 8 + tiles - 1) / tiles : 1;
  uint64_t most = rows < 64 || workers == 1 ? 1 : (uint64_t)rows / 32;
  return (uint32_t)(wanted < most ? wanted : most);
}
static inline uint32_t ingot_row_parts(int64_t rows, uint32_t tiles, uint32_t workers) {
  uint64_t large = (uint64_t)rows / 256;
  uint64_t parts = ingot_row_parts_abi2(rows, tiles, workers), each = large < workers ? large : workers;
  return (uint32_t)(parts < each ? each : parts);
}

/* Computes tiles [tile0, tile1) of the kernel's tile space.
 * buffers: one pointer per operand of the launch, each 64-byte aligned unless it is an entry argument.
 * symbols: the values of the plan's symbols for this step, in the order of the plan's symbol table.
 * scratch: 64-byte aligned, as many bytes as the kernel states, private to the worker for this call.
 * Tiles of one launch are independent: workers run disjoint ranges of them at the same time, in any split,
 * and the result has the same bits. Returns 0, or a kernel-defined error code. */
typedef int32_t (*ingot_kernel)(const ingot_env *env, void *const *buffers, const int64_t *symbols,
                                uint32_t tile0, uint32_t tile1, void *scratch);

#endif
