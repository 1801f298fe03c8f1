/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The contract between a compiled CUDA kernel and the runtime that launches it. Included by the runtime, by device source
 * (through NVRTC and in the simulated device) and by the code generator: plain C, no other include than <stdint.h>.
 * Changing it changes INGOT_CUDA_ABI, which the engine file records as the variant's kernel_abi.
 */
#ifndef INGOT_FORMAT_CUDA_ABI_H
#define INGOT_FORMAT_CUDA_ABI_H

#include <stdint.h>

#define INGOT_CUDA_ABI 1
#define INGOT_CUDA_BUFFERS 24

/* The only argument of every kernel, by value. The grid is made for the largest values of the symbols that a captured
 * graph serves, so a block whose work lies beyond the present values returns at once. */
typedef struct ingot_cuda_args {
  void *buffers[INGOT_CUDA_BUFFERS]; /* one device pointer per operand of the launch, 64-byte aligned */
  const int64_t *symbols;            /* device memory: the values of the plan's symbols for this step, in its order */
  void *workspace;                   /* device memory of the kernel's workspace bytes, 256-byte aligned. Zero before the first
                                        launch; what a launch leaves there, the next launch of any kernel finds */
  int32_t *error;                    /* device memory: a kernel that refuses its input stores its code here, if it is 0 */
  int32_t tiles_symbol;              /* where in `symbols` the number of the launch's tiles stands: it is one, or stands behind them */
} ingot_cuda_args;

#endif
