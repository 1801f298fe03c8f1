// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See fibers.h. A switch saves the registers that a call must keep, and swaps stacks.
#include "test/simulator/fibers.h"

#include <cstdlib>
#include <sys/mman.h>

extern "C" void ingot_switch_stacks(void **from, void *to);
extern "C" void ingot_begin_fiber();

asm(R"(
.text
.globl ingot_switch_stacks
.type ingot_switch_stacks, @function
ingot_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ingot_switch_stacks, .-ingot_switch_stacks
.globl ingot_begin_fiber
.type ingot_begin_fiber, @function
ingot_begin_fiber:
  movq %r12, %rdi
  callq *%r13
  ud2
.size ingot_begin_fiber, .-ingot_begin_fiber
)");

namespace ingot::simulator {

uint8_t *const stacksBegin = [] {
  void *at = mmap(nullptr, kStackBytes * kMostFibers, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    std::abort();
  return static_cast<uint8_t *>(at);
}();

void prepare(Context &context, uint32_t fiber, void (*entry)(void *), void *argument) {
  // As switchTo leaves a stack: six registers and where to go on. The stack is aligned for a call then.
  auto *top = reinterpret_cast<void **>(stacksBegin + size_t(fiber + 1) * kStackBytes - 64);
  top[0] = top[1] = nullptr;
  *--top = reinterpret_cast<void *>(&ingot_begin_fiber);
  *--top = nullptr;                         // rbp
  *--top = nullptr;                         // rbx
  *--top = argument;                        // r12
  *--top = reinterpret_cast<void *>(entry); // r13
  *--top = nullptr;                         // r14
  *--top = nullptr;                         // r15
  context.stack = top;
}

void switchTo(Context &from, Context &to) { ingot_switch_stacks(&from.stack, to.stack); }

} // namespace ingot::simulator
