// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of one warp that do one instruction each: buffer 0 has the words of every lane's operands, buffer 1 takes
// those of every lane's results (instructions_test.cpp).
#include "compiler/target/cuda/device/primitives.h"

namespace ingot::device {

namespace {

INGOT_DEVICE const uint32_t *operandsOf(const ingot_cuda_args &args, uint32_t count) {
  return (const uint32_t *)args.buffers[0] + lane() * count;
}
INGOT_DEVICE uint32_t *resultsOf(const ingot_cuda_args &args, uint32_t count) {
  return (uint32_t *)args.buffers[1] + lane() * count;
}

INGOT_DEVICE float wordAs(uint32_t word, float) { return floatOf(word); }
INGOT_DEVICE int32_t wordAs(uint32_t word, int32_t) { return (int32_t)word; }
INGOT_DEVICE uint32_t wordOf(float value) { return bitsOf(value); }
INGOT_DEVICE uint32_t wordOf(int32_t value) { return (uint32_t)value; }

// Operands a[4], b[2], c[4]; results c[4].
template <class Fragment, class Multiply> INGOT_DEVICE void multiply(const ingot_cuda_args &args, Multiply multiply) {
  const uint32_t *in = operandsOf(args, 10);
  uint32_t *out = resultsOf(args, 4);
  FragmentA a;
  FragmentB b;
  Fragment c;
  for (int i = 0; i < 4; ++i)
    a.r[i] = in[i];
  for (int i = 0; i < 2; ++i)
    b.r[i] = in[4 + i];
  for (int i = 0; i < 4; ++i)
    c.r[i] = wordAs(in[6 + i], c.r[i]);
  multiply(c, a, b);
  for (int i = 0; i < 4; ++i)
    out[i] = wordOf(c.r[i]);
}

// 1024 bytes of buffer 0 come to shared memory; the row of a lane is at lane * 16 rotated, so that addresses matter.
template <class Load> INGOT_DEVICE void matrices(const ingot_cuda_args &args, Load load) {
  uint32_t *shared = (uint32_t *)sharedMemory();
  for (uint32_t i = lane(); i < 256; i += 32)
    shared[i] = ((const uint32_t *)args.buffers[0])[i];
  barrier();
  uint32_t r[4];
  load(r, sharedMemory() + (lane() * 5 + 3) % 64 * 16);
  for (int i = 0; i < 4; ++i)
    resultsOf(args, 4)[i] = r[i];
}

} // namespace

INGOT_KERNEL(do_mma_bf16, 32) {
  multiply<FragmentC>(args, [](FragmentC &c, const FragmentA &a, const FragmentB &b) { mma(c, a, b, bf16{}); });
}
INGOT_KERNEL(do_mma_f16, 32) {
  multiply<FragmentC>(args, [](FragmentC &c, const FragmentA &a, const FragmentB &b) { mma(c, a, b, f16{}); });
}
INGOT_KERNEL(do_mma_s8s8, 32) {
  multiply<FragmentInt>(args, [](FragmentInt &c, const FragmentA &a, const FragmentB &b) { mmaS8S8(c, a, b); });
}
INGOT_KERNEL(do_load, 32) {
  matrices(args, [](uint32_t(&r)[4], const void *row) { loadMatrix4(r, row); });
}
INGOT_KERNEL(do_load_transposed, 32) {
  matrices(args, [](uint32_t(&r)[4], const void *row) { loadMatrix4Transposed(r, row); });
}

// Operands: value, lane or mask; results: of each exchange.
INGOT_KERNEL(do_exchange, 32) {
  const uint32_t *in = operandsOf(args, 3);
  uint32_t *out = resultsOf(args, 8);
  out[0] = shuffle(in[0], in[1]);
  out[1] = shuffleXor(in[0], in[2]);
  out[2] = (uint32_t)shuffleUp((int32_t)in[0], in[2]);
  out[3] = ballot(in[0] % 3 == 0);
  out[4] = bitsOf(shuffle(floatOf(in[0]), in[1]));
  out[5] = (uint32_t)shuffleXor((int32_t)in[0], in[2]);
  out[6] = bitsOf(shuffleUp(floatOf(in[0]), in[2]));
  out[7] = (uint32_t)barrierAny(in[1] == 1000);
}

// Operands: three words; results: of each instruction of one lane.
INGOT_KERNEL(do_numbers, 32) {
  const uint32_t *in = operandsOf(args, 3);
  uint32_t *out = resultsOf(args, 17);
  const float x = floatOf(in[0]), y = floatOf(in[1]), z = floatOf(in[2]);
  out[0] = addPairs(in[0], in[1], bf16{});
  out[1] = permuteBytes(in[0], in[1], in[2] & 0x7777);
  out[2] = multiplyHigh(in[0], in[1]);
  out[3] = (uint32_t)countBits(in[0]);
  out[4] = toBf16(x).bits;
  out[5] = toF16(x).bits;
  out[6] = packBf16(x, y);
  out[7] = packF16(x, y);
  out[8] = bitsOf(toFloat(bf16{(uint16_t)in[0]}));
  out[9] = bitsOf(toFloat(f16{(uint16_t)in[0]}));
  out[10] = (uint32_t)roundToInt(x);
  out[11] = bitsOf(fma(x, y, z));
  out[12] = bitsOf(exp2Fast(x));
  out[13] = bitsOf(divide(x, y));
  out[14] = bitsOf(squareRoot(x));
  out[15] = bitsOf(add(multiply(x, y), z));
  out[16] = addPairs(in[0], in[1], f16{});
}

namespace {

// Bytes that are not copied are zero. Operands: 4 words, results: 5. `late`: the source changes while copies are on their way.
INGOT_DEVICE void copies(const ingot_cuda_args &args, bool late) {
  uint32_t *in = (uint32_t *)args.buffers[0] + lane() * 4;
  uint32_t *shared = (uint32_t *)sharedMemory() + lane() * 4;
  copyAsync16(shared, in, lane() % 17);
  copyAsync4(sharedMemory() + 512 + lane() * 4, in + 1, lane() % 2 * 4);
  commitCopies();
  if (late) {
    in[0] = 77;
    in[1] = 78;
  }
  waitCopies<0>();
  uint32_t *out = resultsOf(args, 5);
  for (int i = 0; i < 4; ++i)
    out[i] = shared[i];
  out[4] = ((uint32_t *)(sharedMemory() + 512))[lane()];
}

} // namespace

INGOT_KERNEL(do_copies, 32) { copies(args, false); }
// The simulated device's copies land when they are waited for: what is written to their source before is what they bring.
INGOT_KERNEL(do_copies_late, 32) { copies(args, true); }

INGOT_KERNEL(do_atomics, 32) {
  resultsOf(args, 1)[0] = atomicAddGlobal((uint32_t *)args.buffers[0], lane() + 1);
  atomicStoreIfZero((int32_t *)args.buffers[0] + 1, (int32_t)lane() + 1);
  atomicStoreIfZero((int32_t *)args.buffers[0] + 2, 5);
}

} // namespace ingot::device
