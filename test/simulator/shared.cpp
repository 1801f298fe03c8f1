// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who touched which byte of shared memory, and whether a barrier stood between (block.h); asynchronous copies; and the
// check of every other access. Most accesses are of whole words that were always touched as such, and are looked at
// once a word.
#include "test/simulator/block.h"

#include "test/simulator/memory.h"

#include <algorithm>
#include <cstring>

namespace ingot::simulator {

namespace {

std::string hex(const void *address) {
  char text[32];
  std::snprintf(text, sizeof(text), "%p", address);
  return text;
}

std::string byteName(size_t offset) { return "byte " + std::to_string(offset) + " of shared memory"; }

} // namespace

// Whether what thread `other` (and others of its warp: `several`) did at (epoch, sync) is ordered before what `current`
// does now.
inline bool Block::ordered(uint32_t when, uint32_t sync, uint16_t other, bool several) const {
  if (when != epoch || (other == current && !several))
    return true;
  if (other == kSeveralWarps)
    return false;
  const uint32_t warp = current / kLanes;
  return other / kLanes == warp && sync < warps[warp].sync;
}

// Calls each(shadow, offset of its first byte) for the shadows of bytes [offset, offset + count).
template <class Each> inline void Block::forShadows(size_t offset, size_t count, Each each) {
  const size_t end = offset + count;
  for (size_t at = offset; at < end;) {
    Shadow &word = words[at / 4];
    const bool whole = at % 4 == 0 && end - at >= 4;
    if (whole && !word.split) {
      each(word, at);
      at += 4;
      continue;
    }
    Shadow *const own = &bytes[at / 4 * 4];
    if (!word.split) {
      std::fill(own, own + 4, word);
      word.split = 1;
    }
    for (const size_t last = std::min(end, at / 4 * 4 + 4); at < last; ++at)
      each(own[at % 4], at);
    if (own[0] == own[1] && own[0] == own[2] && own[0] == own[3])
      word = own[0];
  }
}

// What is wrong with a read, with a write, of a byte; in the order of what explains most.
void Block::findRead(const Shadow &byte, size_t i) {
  if (byte.writeEpoch < firstEpoch)
    find("reads " + byteName(i) + ", which nothing has written");
  if (byte.pending)
    find("reads " + byteName(i) + ", which an asynchronous copy by thread " + std::to_string(byte.writer) +
         " may still be writing: it was not waited for");
  find("reads " + byteName(i) + ", which thread " + std::to_string(byte.writer) +
       " wrote with no barrier between them");
}

void Block::findWrite(const Shadow &byte, size_t i) {
  if (byte.pending && byte.writeEpoch >= firstEpoch)
    find("writes " + byteName(i) + ", which an asynchronous copy by thread " + std::to_string(byte.writer) +
         " may still be writing");
  if (!ordered(byte.writeEpoch, byte.writeSync, byte.writer, false))
    find("writes " + byteName(i) + ", which thread " + std::to_string(byte.writer) +
         " wrote with no barrier between them");
  find("writes " + byteName(i) + ", which " +
       (byte.reader == kSeveralWarps ? std::string("threads of several warps")
                                     : "thread " + std::to_string(byte.reader)) +
       " read with no barrier between them");
}

inline void Block::readByte(Shadow &byte, size_t i) {
  const uint32_t sync = warps[current / kLanes].sync;
  if (byte.writeEpoch < firstEpoch || byte.pending || !ordered(byte.writeEpoch, byte.writeSync, byte.writer, false))
      [[unlikely]]
    findRead(byte, i);
  if (byte.readEpoch != epoch) {
    byte.several = 0;
    byte.readEpoch = epoch;
    byte.reader = uint16_t(current);
  } else if (byte.reader != kSeveralWarps && byte.reader != current) {
    if (byte.reader / kLanes != current / kLanes) {
      byte.reader = kSeveralWarps;
    } else if (byte.readSync < sync) { // what was read before the warp's barrier is ordered
      byte.reader = uint16_t(current);
      byte.several = 0;
    } else {
      byte.several = 1;
    }
  } else if (byte.readSync < sync) {
    byte.several = 0;
  }
  byte.readSync = sync;
}

inline void Block::writeByte(Shadow &byte, size_t i) {
  if ((byte.pending && byte.writeEpoch >= firstEpoch) ||
      !ordered(byte.writeEpoch, byte.writeSync, byte.writer, false) ||
      !ordered(byte.readEpoch, byte.readSync, byte.reader, byte.several)) [[unlikely]]
    findWrite(byte, i);
  byte.writeEpoch = epoch;
  byte.writeSync = warps[current / kLanes].sync;
  byte.writer = uint16_t(current);
  byte.pending = 0;
}

void Block::readShared(size_t offset, size_t count) {
  forShadows(offset, count, [&](Shadow &shadow, size_t at) { readByte(shadow, at); });
}

void Block::writeShared(size_t offset, size_t count) {
  forShadows(offset, count, [&](Shadow &shadow, size_t at) { writeByte(shadow, at); });
}

void Block::issue(const Copy &copy) {
  forShadows(size_t(copy.shared - sharedBegin), copy.size, [&](Shadow &shadow, size_t at) {
    writeByte(shadow, at);
    shadow.pending = 1;
  });
  std::memset(copy.shared, 0xfb, copy.size); // until it lands
}

void Block::land(const Copy &copy) {
  std::memcpy(copy.shared, copy.global, copy.bytes);
  std::memset(copy.shared + copy.bytes, 0, copy.size - copy.bytes);
  const uint32_t sync = warps[current / kLanes].sync;
  forShadows(size_t(copy.shared - sharedBegin), copy.size, [&](Shadow &shadow, size_t) {
    // It is written now, as by the thread that waited.
    shadow.pending = 0;
    shadow.writeEpoch = epoch;
    shadow.writeSync = sync;
    shadow.writer = uint16_t(current);
  });
}

namespace {

// What is wrong with an access where it is; nothing where it is fine.
__attribute__((noinline)) void checkPlace(Block *block, const uint8_t *at, size_t bytes, bool write, bool aligned) {
  const char *doing = write ? "writes " : "reads ";
  if (aligned && reinterpret_cast<uintptr_t>(at) % bytes != 0)
    block->find(doing + std::to_string(bytes) + " bytes at " + hex(at) + " (" + placeName(at) +
                "), which is not aligned to them");
  if (const size_t offset = size_t(at - sharedBegin); offset < kSharedArena) {
    if (offset + bytes > block->launch->sharedBytes)
      block->find(doing + std::to_string(bytes) + " bytes at byte " + std::to_string(offset) +
                  " of shared memory, of which the block has " + std::to_string(block->launch->sharedBytes));
    return;
  }
  if (isGlobal(at)) {
    if (std::string where = outsideOfAllocations(at, bytes); !where.empty())
      block->find(doing + std::to_string(bytes) + " bytes outside of any allocation: " + where);
    return;
  }
  // Constants of the kernel are elsewhere; nothing else is, and nothing there may be written.
  if (write || reinterpret_cast<uintptr_t>(at) < 65536)
    block->find(doing + std::to_string(bytes) + " bytes at " + hex(at) + ", which is no memory of the device");
}

} // namespace

void checkAccess(const void *address, size_t bytes, bool write, bool aligned) {
  Block *block = running();
  const uint8_t *at = static_cast<const uint8_t *>(address);
  // Registers and local memory are on stacks. They need no check; alignment of what is misused there shows elsewhere.
  if (!block || size_t(at - stacksBegin) < kStackBytes * kMostFibers)
    return;
  if (block->stopped)
    return;
  // All sizes that must be aligned are powers of two.
  const bool wrong = aligned && (reinterpret_cast<uintptr_t>(at) & (bytes - 1)) != 0;
  const size_t offset = size_t(at - sharedBegin);
  if (wrong ||
      (offset >= kSharedArena ? !insideLastAllocation(at, bytes) : offset + bytes > block->launch->sharedBytes))
    checkPlace(block, at, bytes, write, aligned);
  if (offset < kSharedArena) {
    if (write)
      block->writeShared(offset, bytes);
    else
      block->readShared(offset, bytes);
  }
}

} // namespace ingot::simulator
