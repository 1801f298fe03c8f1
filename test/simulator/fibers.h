// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fibers: functions that stop and go on, each on a stack of its own, all on one thread of the operating system. x86-64.
#ifndef INGOT_TEST_SIMULATOR_FIBERS_H
#define INGOT_TEST_SIMULATOR_FIBERS_H

#include <cstddef>
#include <cstdint>

namespace ingot::simulator {

inline constexpr size_t kStackBytes = 256 << 10;
inline constexpr uint32_t kMostFibers = 1024;

// Where a fiber (or the thread itself) stands.
struct Context {
  void *stack = nullptr;
};

// The stacks of all fibers, one after the other.
extern uint8_t *const stacksBegin;
// Makes fiber i ready to run entry(argument), which must never return.
void prepare(Context &context, uint32_t fiber, void (*entry)(void *), void *argument);
// Goes on at `to`; comes back when something switches to `from`.
void switchTo(Context &from, Context &to);

} // namespace ingot::simulator

#endif
