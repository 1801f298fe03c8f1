// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of one warp that do one instruction each: buffer 0 has the words of every lane's operands, buffer 1 takes
// those of every lane's results (instructions_test.cpp).
#include "compiler/target/cuda/device/primitives.h"

using namespace ingot::device;

namespace {

const uint32_t *operandsOf(const ingot_cuda_args &args, uint32_t count) {
  return (const uint32_t *)args.buffers[0] + lane() * count;
}
uint32_t *resultsOf(const ingot_cuda_args &args, uint32_t count) {
  return (uint32_t *)args.buffers[1] + lane() * count;
}

// Operands a[4], b[2], c[4]; results c[4].
template <class Fragment, class Multiply> void multiply(const ingot_cuda_args &args, Multiply multiply) {
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
    __builtin_memcpy(&c.r[i], &in[6 + i], 4);
  multiply(c, a, b);
  for (int i = 0; i < 4; ++i)
    __builtin_memcpy(&out[i], &c.r[i], 4);
}

// 1024 bytes of buffer 0 come to shared memory; the row of a lane is at lane * 16 rotated, so that addresses matter.
template <class Load> void matrices(const ingot_cuda_args &args, Load load) {
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
INGOT_KERNEL(do_mma_s8u8, 32) {
  multiply<FragmentInt>(args, [](FragmentInt &c, const FragmentA &a, const FragmentB &b) { mmaS8U8(c, a, b); });
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
  uint32_t *out = resultsOf(args, 16);
  const float x = floatOf(in[0]), y = floatOf(in[1]), z = floatOf(in[2]);
  out[0] = (uint32_t)dotS8U8(in[0], in[1], (int32_t)in[2]);
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
}

// A copy lands when it is waited for: what is written to its source before is what it brings. Bytes that are not copied
// are zero. Operands and results: 4 words.
INGOT_KERNEL(do_copies, 32) {
  uint32_t *in = (uint32_t *)args.buffers[0] + lane() * 4;
  uint32_t *shared = (uint32_t *)sharedMemory() + lane() * 4;
  copyAsync16(shared, in, lane() % 17);
  copyAsync4(sharedMemory() + 512 + lane() * 4, in + 1, lane() % 2 * 4);
  commitCopies();
  in[0] = 77;
  in[1] = 78;
  waitCopies<0>();
  uint32_t *out = resultsOf(args, 5);
  for (int i = 0; i < 4; ++i)
    out[i] = shared[i];
  out[4] = ((uint32_t *)(sharedMemory() + 512))[lane()];
}

INGOT_KERNEL(do_atomics, 32) {
  resultsOf(args, 1)[0] = atomicAddGlobal((uint32_t *)args.buffers[0], lane() + 1);
  atomicStoreIfZero((int32_t *)args.buffers[0] + 1, (int32_t)lane() + 1);
  atomicStoreIfZero((int32_t *)args.buffers[0] + 2, 5);
}
