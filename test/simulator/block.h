// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block in progress: its threads as fibers, what they wait for, its shared memory with a shadow of who touched what.
// Private to the simulator.
#ifndef INGOT_TEST_SIMULATOR_BLOCK_H
#define INGOT_TEST_SIMULATOR_BLOCK_H

#include "test/simulator/fibers.h"
#include "test/simulator/simulator.h"

#include <functional>
#include <random>

namespace ingot::simulator {

inline constexpr uint32_t kLanes = 32;
inline constexpr size_t kSharedArena = 512 << 10; // shared memory, and what lies beyond it

// What is known of a byte of shared memory.
struct Shadow {
  uint32_t writeEpoch, readEpoch; // barriers of the block that had passed, plus 1; 0: never
  uint32_t writeSync, readSync;   // barriers of the warp that had passed
  uint16_t writer, reader;        // threads; of readers the first, or kSeveralWarps
  uint8_t written;                // holds a value
  uint8_t pending;                // an asynchronous copy to it is on its way
  uint8_t several;                // further threads of the reader's warp read it
};
inline constexpr uint16_t kSeveralWarps = 0xffff;

struct Copy {
  void *shared;
  const void *global;
  uint32_t bytes, size;
};

struct Fiber {
  Context context;
  enum State { ready, atBarrier, atWarp, done } state = ready;
  const void *where = nullptr; // the barrier, by the address it was called from
  bool condition = false;      // of barrierAny
  std::vector<Copy> open;                // since the last commit
  std::vector<std::vector<Copy>> groups; // committed, oldest first
};

// An instruction that all lanes of a warp do together.
struct WarpMeeting {
  const char *name = nullptr; // null: nobody is there yet
  uint32_t arrived = 0;
  void *operands[kLanes] = {};
  uint32_t sync = 0; // barriers of the warp that have passed
};

struct Block {
  Kernel kernel;
  const Launch *launch;
  ingot_cuda_args args;
  uint32_t index[3] = {};
  std::mt19937_64 random;
  std::vector<Fiber> fibers;
  std::vector<WarpMeeting> warps;
  Context scheduler;
  uint32_t current = 0; // the thread that runs
  uint32_t epoch = 0;   // barriers that have passed
  uint32_t waiting = 0; // threads at the barrier
  bool any = false;     // the answer of barrierAny
  bool stopped = false; // something was found
  std::vector<Shadow> shadow;
  std::vector<std::string> *findings;

  // Stops the launch with a finding of the current thread. Does not return when a fiber calls it.
  void find(const std::string &what);
  void run();
  void yield();
  // All lanes meet; the last to come does `work` over the operands of all 32 lanes, in order of lanes.
  void meet(const char *name, void *operand, const std::function<void(void *const *)> &work);

  void readShared(size_t offset, size_t bytes);
  void writeShared(size_t offset, size_t bytes);
  void issue(const Copy &copy);
  void land(const Copy &copy);
};

// The block in progress; null outside of a launch.
Block *running();
uint8_t *sharedArena();
// As a thread of the block reads or writes memory; checks nothing outside of a launch.
void checkAccess(const void *address, size_t bytes, bool write, bool aligned);

} // namespace ingot::simulator

#endif
