// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See mistakes.h. Buffers: 0 of 64 words to read, 1 of 64 words to write, 2 a counter. Shared: 1024 bytes.
#include "test/unit/simulator/mistakes.h"
#include "compiler/target/cuda/device/primitives.h"

using namespace ingot::device;

namespace {

constexpr uint32_t kThreads = 64;

struct Place {
  const uint32_t *in;
  uint32_t *out, *counter;
  uint32_t *shared = (uint32_t *)sharedMemory();
  unsigned char *bytes = sharedMemory();
  uint32_t t = thread();
  explicit Place(const ingot_cuda_args &args)
      : in((const uint32_t *)args.buffers[0]), out((uint32_t *)args.buffers[1]), counter((uint32_t *)args.buffers[2]) {}
  void fill() const { // so that what is found is not that nothing was written
    for (uint32_t i = t; i < 256; i += kThreads)
      shared[i] = 0;
    barrier();
  }
  void copy16(uint32_t to, uint32_t from) const { // granules; by the first 16 threads
    if (t < 16)
      copyAsync16(bytes + to * 16, in + from * 4);
  }
};

#define KERNEL(name)                                                                                                   \
  template <bool wrong> void name##Of(const Place &);                                                                  \
  INGOT_KERNEL(fine_##name, 64) { name##Of<false>(Place(args)); }                                                      \
  INGOT_KERNEL(wrong_##name, 64) { name##Of<true>(Place(args)); }                                                      \
  template <bool wrong> void name##Of([[maybe_unused]] const Place &p)

// --- Barriers ---
KERNEL(barrier) {
  p.fill();
  p.shared[p.t] = p.in[p.t];
  if (!wrong)
    barrier();
  p.out[p.t] = p.shared[(p.t + 32) % kThreads];
}
KERNEL(barrierBeforeWrite) {
  p.fill();
  p.shared[p.t] = p.in[p.t];
  barrier();
  const uint32_t x = p.shared[(p.t + 32) % kThreads];
  if (!wrong)
    barrier();
  p.shared[p.t] = x;
}
KERNEL(barrierOfWarp) {
  p.fill();
  p.shared[p.t] = p.in[p.t];
  if (!wrong)
    barrierWarp();
  p.out[p.t] = p.shared[p.t ^ 1];
}
KERNEL(barrierOfWarpBeforeWrite) {
  p.fill();
  p.shared[p.t] = p.in[p.t];
  barrierWarp();
  const uint32_t x = p.shared[p.t ^ 1] + p.shared[p.t];
  if (!wrong)
    barrierWarp();
  p.shared[p.t] = x;
}
KERNEL(barrierOfWarpForBlock) {
  p.fill();
  p.shared[p.t] = p.in[p.t];
  if (wrong)
    barrierWarp();
  else
    barrier();
  p.out[p.t] = p.shared[p.t ^ 32];
}
KERNEL(shuffleForBarrier) { // an exchange of values orders no memory
  p.fill();
  p.shared[p.t] = p.in[p.t];
  uint32_t x = shuffleXor(p.in[p.t], 1);
  if (!wrong)
    barrierWarp();
  p.out[p.t] = p.shared[p.t ^ 1] + x;
}
KERNEL(twoWriters) {
  p.fill();
  p.shared[wrong ? p.t % 63 : p.t] = p.t;
}
KERNEL(bytesOfWord) { // one byte of the word is another's
  p.fill();
  p.bytes[p.t] = (unsigned char)p.t;
  if (!wrong)
    barrier();
  if (p.t < 16)
    p.out[p.t] = p.shared[p.t];
}

// --- Asynchronous copies ---
KERNEL(wait) {
  p.copy16(p.t, p.t);
  commitCopies();
  if (!wrong)
    waitCopies<0>();
  if (p.t < 16)
    p.out[p.t] = p.shared[p.t * 4];
}
KERNEL(waitForTooFew) {
  p.copy16(p.t, p.t);
  commitCopies();
  p.copy16(p.t + 16, p.t);
  commitCopies();
  if (wrong)
    waitCopies<1>();
  else
    waitCopies<0>();
  if (p.t < 16)
    p.out[p.t] = p.shared[(p.t + 16) * 4];
}
KERNEL(commit) {
  p.copy16(p.t, p.t);
  if (!wrong)
    commitCopies();
  waitCopies<0>();
  if (p.t < 16)
    p.out[p.t] = p.shared[p.t * 4];
}
KERNEL(barrierAfterWait) {
  p.fill();
  p.copy16(p.t, p.t);
  commitCopies();
  waitCopies<0>();
  if (!wrong)
    barrier();
  p.out[p.t] = p.shared[p.t ^ 4];
}
KERNEL(writeUnderCopy) {
  p.copy16(p.t, p.t);
  commitCopies();
  if (!wrong)
    waitCopies<0>();
  if (p.t < 16)
    p.shared[p.t * 4 + 3] = 1;
  waitCopies<0>();
}
KERNEL(copyUnderCopy) {
  p.copy16(p.t, p.t);
  commitCopies();
  if (!wrong)
    waitCopies<0>();
  p.copy16(p.t, p.t);
  commitCopies();
  waitCopies<0>();
}
KERNEL(copyOverReads) { // the ring is filled again while others read
  p.fill();
  p.copy16(p.t, p.t);
  commitCopies();
  waitCopies<0>();
  barrier();
  p.out[p.t] = p.shared[63 - p.t];
  if (!wrong)
    barrier();
  p.copy16(p.t, p.t);
  commitCopies();
  waitCopies<0>();
}
KERNEL(copyBeyondShared) {
  copyAsync4(p.bytes + 1024 - kThreads * 4 + p.t * 4 + (wrong ? 4 : 0), p.in + p.t);
  commitCopies();
  waitCopies<0>();
}
KERNEL(copyBeyondSource) {
  if (p.t < 16)
    copyAsync16(p.bytes + p.t * 16, p.in + p.t * 4 + (wrong ? 4 : 0), 16);
  else if (p.t == 16) // no byte of it is read
    copyAsync16(p.bytes + p.t * 16, p.in + kThreads, 0);
  commitCopies();
  waitCopies<0>();
}
KERNEL(copyMisaligned) {
  if (p.t < 8)
    copyAsync16(p.bytes + p.t * 16, p.in + p.t * 4 + (wrong ? 2 : 0));
  commitCopies();
  waitCopies<0>();
}
KERNEL(copyToGlobal) {
  if (p.t < 16)
    copyAsync16(wrong ? (unsigned char *)(p.out + p.t * 4) : p.bytes + p.t * 16, p.in + p.t * 4);
  commitCopies();
  waitCopies<0>();
}

// --- Places ---
KERNEL(readBeyond) { p.out[p.t] = p.in[p.t + wrong]; }
KERNEL(readBefore) { p.out[p.t] = (p.in - wrong)[p.t]; }
KERNEL(writeBeyond) { p.out[p.t + wrong] = p.t; }
KERNEL(coherentBeyond) { p.out[p.t] = loadCoherent((const Vector16 *)(p.in + (p.t % 16 + wrong) * 4)).x; }
KERNEL(copyOfMemoryBeyond) {
  struct Many {
    uint32_t words[40];
  };
  if (p.t == 0)
    *(Many *)p.out = *(const Many *)(p.in + (wrong ? 25 : 24));
}
KERNEL(readBeyondShared) {
  p.fill();
  p.out[p.t] = p.shared[192 + p.t + wrong];
}
KERNEL(writeBeyondShared) { p.shared[192 + p.t + wrong] = 1; }
KERNEL(misalignedWord) {
  if (p.t < 32)
    p.out[p.t] = *(const uint32_t *)((const unsigned char *)p.in + p.t * 4 + (wrong ? 2 : 0));
}
KERNEL(misalignedVector) {
  if (p.t < 8)
    *(Vector16 *)(p.out + p.t * 4) = *(const Vector16 *)(p.in + p.t * 4 + (wrong ? 2 : 0));
}
KERNEL(misalignedVectorOfShared) {
  if (p.t < 8)
    *(Vector16 *)(p.shared + p.t * 4 + wrong) = *(const Vector16 *)(p.in + p.t * 4);
}
KERNEL(misalignedCoherent) {
  p.out[p.t] = loadCoherent((const Vector16 *)(p.in + p.t % 8 * 4 + (wrong ? 1 : 0))).x;
}
KERNEL(misalignedMatrix) {
  p.fill();
  uint32_t r[4];
  loadMatrix4(r, p.bytes + lane() % 16 * 16 + (wrong ? 8 : 0));
  p.out[p.t] = r[0];
}
KERNEL(matrixBeyondShared) {
  p.fill();
  uint32_t r[4];
  loadMatrix4Transposed(r, p.bytes + 512 + lane() * 16 + (wrong ? 16 : 0));
  p.out[p.t] = r[0];
}

// --- Meeting ---
KERNEL(twoBarriers) {
  if (wrong && p.t % 2) {
    barrier();
    p.out[p.t] = 1;
  } else {
    barrier();
    p.out[p.t] = 2;
  }
}
KERNEL(endBeforeBarrier) {
  if (wrong && p.t >= 60)
    return;
  barrier();
  p.out[p.t] = 1;
}
KERNEL(endBeforeShuffle) {
  if (wrong && p.t >= 60)
    return;
  p.out[p.t] = shuffleXor(p.t, 1);
}
KERNEL(lanesApart) {
  if (wrong && p.t % 32 < 16)
    p.out[p.t] = shuffleXor(p.t, 1);
  else
    p.out[p.t] = ballot(p.t > 3);
}
KERNEL(halfAtBarrier) {
  if (wrong && p.t % 32 < 16)
    p.out[p.t] = shuffleXor(p.t, 1);
  barrier();
  p.out[p.t] = 1;
}

// --- What nothing was put into ---
KERNEL(unwritten) {
  if (!wrong || p.t != 40)
    p.shared[p.t] = p.t;
  barrier();
  p.out[p.t] = p.shared[63 - p.t];
}
KERNEL(halfWritten) {
  ((uint16_t *)p.shared)[p.t * 2] = 1;
  if (!wrong)
    ((uint16_t *)p.shared)[p.t * 2 + 1] = 1;
  p.out[p.t] = p.shared[p.t];
}
KERNEL(leftByOtherBlock) { // shared memory is a block's own
  if (barrierAny(p.t == 0 && atomicAddGlobal(p.counter, 1) == 0) || !wrong)
    p.shared[p.t] = p.t;
  p.out[p.t] = p.shared[p.t];
}
template <bool wrong, int part> void multiply(const Place &p) {
  FragmentA a;
  FragmentB b;
  FragmentC c;
  for (int i = 0; i < 4; ++i) {
    if (!wrong || part != 0 || i != 2)
      a.r[i] = p.in[p.t];
    if (!wrong || part != 2 || i != 0)
      c.r[i] = 0.0f;
  }
  for (int i = 0; i < 2; ++i)
    if (!wrong || part != 1 || i != 1)
      b.r[i] = p.in[p.t];
  mma(c, a, b, bf16{});
  p.out[p.t] = bitsOf(c.r[0]);
}
KERNEL(fragmentA) { multiply<wrong, 0>(p); }
KERNEL(fragmentB) { multiply<wrong, 1>(p); }
KERNEL(fragmentC) { multiply<wrong, 2>(p); }
KERNEL(fragmentInt) {
  FragmentInt c;
  for (int i = 0; i < (wrong ? 3 : 4); ++i)
    c.r[i] = 0;
  mmaS8S8(c, {{p.t, p.t, p.t, p.t}}, {{p.t, p.t}});
  p.out[p.t] = (uint32_t)c.r[0];
}
KERNEL(fragmentIntA) {
  FragmentInt c{};
  FragmentA a;
  for (int i = 0; i < 4; ++i)
    if (!wrong || i != 1)
      a.r[i] = p.t;
  mmaS8S8(c, a, {{p.t, p.t}});
  p.out[p.t] = (uint32_t)c.r[0];
}

// --- What is no memory ---
const uint32_t kTable[4] = {1, 2, 3, 4};
KERNEL(constant) {
  const uint32_t *volatile table = kTable;
  if (wrong)
    const_cast<uint32_t *>(table)[p.t % 4] = 5;
  p.out[p.t] = table[p.t % 4];
}
KERNEL(null) {
  const uint32_t *volatile from = wrong ? nullptr : p.in;
  p.out[p.t] = from[p.t];
}

// --- Nothing to find ---
#define FINE(name) INGOT_KERNEL(fine_##name, 64)

FINE(neighbouringBytes) {
  const Place p(args);
  p.bytes[p.t] = 1;
  barrier();
  p.bytes[p.t ^ 63] = 2;
  ((uint16_t *)(p.bytes + 256))[p.t] = 3;
}
FINE(readersAfterBarrierOfWarp) {
  const Place p(args);
  p.shared[p.t] = 1;
  barrierWarp();
  uint32_t x = p.shared[p.t ^ 1];
  barrierWarp();
  x += p.shared[p.t]; // the other lane's read is ordered, this is its own
  p.shared[p.t] = x;
  barrierWarp();
  p.out[p.t] = p.shared[p.t ^ 1];
}
FINE(reuseBetweenBlocks) {
  const Place p(args);
  p.shared[p.t ^ (blockX() & 63)] = 1;
  p.out[p.t] = p.shared[p.t ^ (blockX() & 63)];
}
FINE(oneThreadAlone) {
  const Place p(args);
  if (p.t == 5)
    for (uint32_t i = 0; i < 100; ++i)
      p.shared[i % 7] = i > 6 ? p.shared[(i + 1) % 7] + 1 : i;
}
FINE(partsOfWord) { // bytes of several threads, then words, then bytes
  const Place p(args);
  p.bytes[p.t] = (unsigned char)p.t;
  barrier();
  if (p.t < 16)
    p.shared[p.t] += 1;
  barrier();
  p.out[p.t] = p.bytes[63 - p.t];
}
FINE(endAfterBarrier) {
  const Place p(args);
  barrier();
  if (p.t < 32)
    return;
  p.out[p.t] = shuffleXor(p.t, 1);
}
FINE(integersLikeNothing) { // four bytes of -86
  const Place p(args);
  FragmentInt c{};
  const uint32_t q = p.t % 32 == 7 ? 0xaaaaaaaau : p.t;
  mmaS8S8(c, {{q, q, q, q}}, {{q, q}});
  p.out[p.t] = (uint32_t)c.r[0];
}
FINE(ringOfCopies) { // four stages, two on their way
  const Place p(args);
  uint32_t sum = 0;
  for (uint32_t step = 0; step < 12; ++step) {
    if (step < 10)
      p.copy16(step % 4 * 16 + p.t, p.t);
    commitCopies();
    if (step >= 2) {
      waitCopies<2>();
      barrier();
      sum += p.shared[(step - 2) % 4 * 64 + (p.t ^ 5)];
    }
  }
  p.out[p.t] = sum;
}

} // namespace
