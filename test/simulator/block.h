// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block in progress: its threads as fibers, what they wait for, its shared memory with a shadow of who touched what.
// Private to the simulator.
#ifndef INGOT_TEST_SIMULATOR_BLOCK_H
#define INGOT_TEST_SIMULATOR_BLOCK_H

#include "test/simulator/fibers.h"
#include "test/simulator/simulator.h"

namespace ingot::simulator {

inline constexpr uint32_t kLanes = 32;
inline constexpr size_t kSharedArena = 512 << 10; // shared memory, and what lies beyond it

// What is known of a byte of shared memory, or of the four of a word that have a common past. Epochs count the barriers
// of all blocks of a launch and their beginnings, so that nothing must be cleared between blocks: what happened before
// the block's first epoch did not happen to it.
struct Shadow {
  uint32_t writeEpoch = 0, readEpoch = 0; // of the last write, the last read
  uint32_t writeSync = 0, readSync = 0;   // barriers of the warp that had passed
  uint16_t writer = 0, reader = 0;        // threads; of readers since a barrier the first, or kSeveralWarps
  uint8_t pending = 0;                    // an asynchronous copy to it is on its way
  uint8_t several = 0;                    // further threads of the reader's warp read it
  uint8_t split = 0;                      // of a word: its bytes differ, and have shadows of their own
  bool operator==(const Shadow &) const = default;
};
inline constexpr uint16_t kSeveralWarps = 0xffff;

struct Copy {
  uint8_t *shared;
  const void *global;
  uint32_t bytes, size;
  uint32_t group; // of its thread, in order of commits
};

struct Fiber {
  Context context;
  enum State { ready, atBarrier, atWarp, done } state = ready;
  bool condition = false;   // of barrierAny
  uint32_t groups = 0;      // committed
  size_t landed = 0;        // of copies, those that have
  std::vector<Copy> copies; // in order of groups
};

// An instruction that all lanes of a warp do together, and which of them can run.
struct Warp {
  const char *name = nullptr; // of the instruction; null: nobody is there yet
  uint32_t arrived = 0;
  uint32_t sync = 0;      // barriers of the warp that have passed
  uint32_t ready = 0;     // places in `lanes`
  uint32_t turn = 0;      // the place that is looked at first
  uint8_t lanes[kLanes];  // in the order in which they run
  uint8_t places[kLanes]; // of each lane in it
  void *operands[kLanes];
};

// A quick generator (xorshift64*) for the order of things.
struct Random {
  using result_type = uint32_t;
  static constexpr uint32_t min() { return 0; }
  static constexpr uint32_t max() { return 0xffffffff; }
  uint64_t state = 1;
  uint32_t operator()() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return uint32_t(state * 0x2545f4914f6cdd1dull >> 32);
  }
};

struct Block {
  Kernel kernel;
  const Launch *launch;
  const ingot_cuda_args *args;
  uint32_t index[3] = {};
  Random random;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  Context scheduler;
  uint32_t current = 0;          // the thread that runs
  uint32_t epoch = 0;            // of all blocks of the launch
  uint32_t firstEpoch = 0;       // of this block
  uint32_t waiting = 0;          // threads at the barrier
  uint32_t ended = 0;            // threads
  const void *barrier = nullptr; // where it was called from, by the first who came
  uint32_t firstAtBarrier = 0;
  bool any = false;     // the answer of barrierAny
  bool stopped = false; // something was found
  std::vector<Shadow> words, bytes;
  std::vector<std::string> *findings;

  // Stops the launch with a finding of the current thread. Does not return.
  [[noreturn]] void find(const std::string &what);
  void run();
  // Lets others run: of the warp if one can, else of another.
  void yield(Fiber::State state);
  // All lanes meet; the last to come does work(operands of all 32 lanes, in order of lanes).
  template <class Work> void meet(const char *name, void *operand, const Work &work) {
    Warp &warp = warps[current / kLanes];
    if (arrive(warp, name, operand))
      return;
    work(warp.operands);
    leave(warp);
  }
  // All threads meet, at the place `where` of the program.
  void meetAll(const void *where);

  void readShared(size_t offset, size_t bytes);
  void writeShared(size_t offset, size_t bytes);
  void issue(const Copy &copy);
  void land(const Copy &copy);

private:
  bool arrive(Warp &warp, const char *name, void *operand); // true: the instruction was done meanwhile
  void leave(Warp &warp);
  [[noreturn]] void findMeeting(const Warp &warp, const char *name);
  void findDeadlock();
  void start();
  [[noreturn]] void findRead(const Shadow &shadow, size_t offset);
  [[noreturn]] void findWrite(const Shadow &shadow, size_t offset);
  void readByte(Shadow &shadow, size_t offset);
  void writeByte(Shadow &shadow, size_t offset);
  bool ordered(uint32_t epoch, uint32_t sync, uint16_t other, bool several) const;
  template <class Each> void forShadows(size_t offset, size_t count, Each each);
};

// The block in progress; null outside of a launch.
extern Block *const &runningBlock;
inline Block *running() { return runningBlock; }
extern uint8_t *const sharedBegin; // kSharedArena bytes
inline uint8_t *sharedArena() { return sharedBegin; }
// As a thread of the block reads or writes memory; checks nothing outside of a launch.
void checkAccess(const void *address, size_t bytes, bool write, bool aligned);

} // namespace ingot::simulator

#endif
