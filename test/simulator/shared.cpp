// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who touched which byte of shared memory, and whether a barrier stood between (block.h); asynchronous copies; and the check
// of every other access.
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

// Whether what thread `other` (and others of its warp: `several`) did at (epoch, sync) is ordered before what
// `block.current` does now.
bool ordered(const Block &block, uint32_t epoch, uint32_t sync, uint16_t other, bool several = false) {
  if (epoch != block.epoch + 1 || (other == block.current && !several))
    return true;
  if (other == kSeveralWarps)
    return false;
  const uint32_t warp = block.current / kLanes;
  return other / kLanes == warp && sync < block.warps[warp].sync;
}

std::string byteName(size_t offset) { return "byte " + std::to_string(offset) + " of shared memory"; }

} // namespace

void Block::readShared(size_t offset, size_t bytes) {
  const uint32_t sync = warps[current / kLanes].sync;
  for (size_t i = offset; i < offset + bytes; ++i) {
    Shadow &byte = shadow[i];
    if (byte.pending)
      find("reads " + byteName(i) + ", which an asynchronous copy by thread " + std::to_string(byte.writer) +
           " may still be writing: it was not waited for");
    if (!byte.written)
      find("reads " + byteName(i) + ", which nothing has written");
    if (!ordered(*this, byte.writeEpoch, byte.writeSync, byte.writer))
      find("reads " + byteName(i) + ", which thread " + std::to_string(byte.writer) +
           " wrote with no barrier between them");
    if (byte.readEpoch != epoch + 1 || byte.reader == current) {
      if (byte.readEpoch != epoch + 1)
        byte.several = 0;
      byte.readEpoch = epoch + 1;
      byte.reader = uint16_t(current);
    } else if (byte.reader != kSeveralWarps && byte.reader / kLanes != current / kLanes) {
      byte.reader = kSeveralWarps;
    } else if (byte.reader != kSeveralWarps) {
      byte.several = 1; // of its warp
    }
    byte.readSync = sync; // of the last reader: within a warp the latest counts
  }
}

void Block::writeShared(size_t offset, size_t bytes) {
  const uint32_t sync = warps[current / kLanes].sync;
  for (size_t i = offset; i < offset + bytes; ++i) {
    Shadow &byte = shadow[i];
    if (byte.pending)
      find("writes " + byteName(i) + ", which an asynchronous copy by thread " + std::to_string(byte.writer) +
           " may still be writing");
    if (byte.writeEpoch && !ordered(*this, byte.writeEpoch, byte.writeSync, byte.writer))
      find("writes " + byteName(i) + ", which thread " + std::to_string(byte.writer) +
           " wrote with no barrier between them");
    if (byte.readEpoch && !ordered(*this, byte.readEpoch, byte.readSync, byte.reader, byte.several))
      find("writes " + byteName(i) + ", which " +
           (byte.reader == kSeveralWarps ? std::string("threads of several warps")
                                         : "thread " + std::to_string(byte.reader)) +
           " read with no barrier between them");
    byte.writeEpoch = epoch + 1;
    byte.writeSync = sync;
    byte.writer = uint16_t(current);
    byte.written = 1;
  }
}

void Block::issue(const Copy &copy) {
  const size_t offset = size_t(static_cast<uint8_t *>(copy.shared) - sharedArena());
  writeShared(offset, copy.size);
  for (size_t i = offset; i < offset + copy.size; ++i)
    shadow[i].pending = 1;
  std::memset(copy.shared, 0xfb, copy.size); // until it lands
}

void Block::land(const Copy &copy) {
  const size_t offset = size_t(static_cast<uint8_t *>(copy.shared) - sharedArena());
  std::memcpy(copy.shared, copy.global, copy.bytes);
  std::memset(static_cast<uint8_t *>(copy.shared) + copy.bytes, 0, copy.size - copy.bytes);
  for (size_t i = offset; i < offset + copy.size; ++i) {
    Shadow &byte = shadow[i];
    byte.pending = 0;
    // It is written now, as by the thread that waited.
    byte.writeEpoch = epoch + 1;
    byte.writeSync = warps[current / kLanes].sync;
    byte.writer = uint16_t(current);
    byte.written = 1;
  }
}

void checkAccess(const void *address, size_t bytes, bool write, bool aligned) {
  Block *block = running();
  if (!block || block->stopped)
    return;
  const uint8_t *at = static_cast<const uint8_t *>(address);
  const uint8_t *stacks = stackOf(0);
  if (at >= stacks && at < stacks + kStackBytes * kMostFibers)
    return; // registers and local memory
  const char *doing = write ? "writes " : "reads ";
  if (aligned && reinterpret_cast<uintptr_t>(address) % bytes != 0)
    block->find(doing + std::to_string(bytes) + " bytes at " + hex(address) + " (" + placeName(address) +
                "), which is not aligned to them");
  const uint8_t *shared = sharedArena();
  if (at >= shared && at < shared + kSharedArena) {
    const size_t offset = size_t(at - shared);
    if (offset + bytes > block->launch->sharedBytes)
      block->find(doing + std::to_string(bytes) + " bytes at byte " + std::to_string(offset) +
                  " of shared memory, of which the block has " + std::to_string(block->launch->sharedBytes));
    if (write)
      block->writeShared(offset, bytes);
    else
      block->readShared(offset, bytes);
    return;
  }
  if (isGlobal(address)) {
    if (std::string where = outsideOfAllocations(address, bytes); !where.empty())
      block->find(doing + std::to_string(bytes) + " bytes outside of any allocation: " + where);
    return;
  }
  // Constants of the kernel are elsewhere; nothing else is, and nothing there may be written.
  if (write || reinterpret_cast<uintptr_t>(address) < 65536)
    block->find(doing + std::to_string(bytes) + " bytes at " + hex(address) + ", which is no memory of the device");
}

} // namespace ingot::simulator
