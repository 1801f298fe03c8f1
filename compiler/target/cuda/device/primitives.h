// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one door between kernels and hardware: threads, barriers, shuffles, tensor cores, asynchronous copies, conversions,
// atomics. Kernels of this folder use nothing else of CUDA. Compiled by NVRTC these are PTX; compiled for the host they
// come from primitives_host.h, where the simulated device gives each the meaning that the PTX manual states, and checks
// that it is used as the manual allows. Includes only its siblings.
//
// Memory of a kernel: its arguments, registers, and dynamic shared memory (sharedMemory()); no static shared memory.
#ifndef INGOT_CUDA_DEVICE_PRIMITIVES_H
#define INGOT_CUDA_DEVICE_PRIMITIVES_H

#include "compiler/target/templates/structs.h"
#include "runtime/format/cuda_abi.h"

namespace ingot::device {

// 16-bit floats are moved as bits; arithmetic is in float.
struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};
// 16 bytes that move together; aligned so.
struct alignas(16) Vector16 {
  uint32_t x, y, z, w;
};

// Fragments of mma.sync, as the PTX manual lays them over a warp (g = lane / 4, t = lane % 4).
//   A [16][16] of 16 bits: r[0] = A[g][2t, 2t+1], r[1] = A[g+8][2t..], r[2] = A[g][2t+8..], r[3] = A[g+8][2t+8..]
//   B [16][8] of 16 bits:  r[0] = B[2t, 2t+1][g], r[1] = B[2t+8, 2t+9][g]
//   C [16][8] of 32 bits:  r[0] = C[g][2t], r[1] = C[g][2t+1], r[2] = C[g+8][2t], r[3] = C[g+8][2t+1]
// With 8-bit operands A is [16][32] and B [32][8]: registers as above, 4 bytes of K each (k = 4t..4t+3, and 16 further).
struct FragmentA {
  uint32_t r[4];
};
struct FragmentB {
  uint32_t r[2];
};
struct FragmentC {
  float r[4];
};
struct FragmentInt {
  int32_t r[4];
};

} // namespace ingot::device

#if defined(__CUDACC__)

#define INGOT_DEVICE __device__ __forceinline__
#define INGOT_CONSTEXPR __host__ __device__ constexpr
// A kernel: its name, and the threads of a block.
#define INGOT_KERNEL(name, threads)                                                                                    \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ ingot_cuda_args args)

namespace ingot::device {

// --- Who am I ---
INGOT_DEVICE uint32_t thread() { return threadIdx.x; }
INGOT_DEVICE uint32_t threads() { return blockDim.x; }
INGOT_DEVICE uint32_t lane() { return threadIdx.x & 31; }
INGOT_DEVICE uint32_t warp() { return threadIdx.x >> 5; }
INGOT_DEVICE uint32_t blockX() { return blockIdx.x; }
INGOT_DEVICE uint32_t blockY() { return blockIdx.y; }
INGOT_DEVICE uint32_t gridX() { return gridDim.x; }

// The dynamic shared memory of the block, 128-byte aligned.
INGOT_DEVICE unsigned char *sharedMemory() {
  extern __shared__ __align__(128) unsigned char ingot_shared[];
  return ingot_shared;
}

// --- Meeting ---
// All threads of the block; orders their accesses to shared and global memory.
INGOT_DEVICE void barrier() { __syncthreads(); }
// As barrier(); gives whether `condition` holds in any thread.
INGOT_DEVICE bool barrierAny(bool condition) { return __syncthreads_or(condition); }
// All threads of the warp; orders their accesses to memory.
INGOT_DEVICE void barrierWarp() { __syncwarp(); }
// Writes before it are seen by the device before writes after it.
INGOT_DEVICE void fence() { __threadfence(); }

// --- Within a warp: all 32 lanes take part ---
INGOT_DEVICE float shuffle(float value, uint32_t from) { return __shfl_sync(~0u, value, from); }
INGOT_DEVICE int32_t shuffle(int32_t value, uint32_t from) { return __shfl_sync(~0u, value, from); }
INGOT_DEVICE uint32_t shuffle(uint32_t value, uint32_t from) { return __shfl_sync(~0u, value, from); }
INGOT_DEVICE float shuffleXor(float value, uint32_t mask) { return __shfl_xor_sync(~0u, value, mask); }
INGOT_DEVICE int32_t shuffleXor(int32_t value, uint32_t mask) { return __shfl_xor_sync(~0u, value, mask); }
INGOT_DEVICE uint32_t shuffleXor(uint32_t value, uint32_t mask) { return __shfl_xor_sync(~0u, value, mask); }
// The value of the lane `delta` below; lanes under `delta` keep their own.
INGOT_DEVICE float shuffleUp(float value, uint32_t delta) { return __shfl_up_sync(~0u, value, delta); }
INGOT_DEVICE int32_t shuffleUp(int32_t value, uint32_t delta) { return __shfl_up_sync(~0u, value, delta); }
// Bit i: the condition of lane i.
INGOT_DEVICE uint32_t ballot(bool condition) { return __ballot_sync(~0u, condition); }

// --- Tensor cores: all lanes of a warp together; c += a * b ---
INGOT_DEVICE void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, bf16) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c.r[0]), "+f"(c.r[1]), "+f"(c.r[2]), "+f"(c.r[3])
               : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}
INGOT_DEVICE void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, f16) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c.r[0]), "+f"(c.r[1]), "+f"(c.r[2]), "+f"(c.r[3])
               : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}
// 8-bit operands, all signed.
INGOT_DEVICE void mmaS8S8(FragmentInt &c, const FragmentA &a, const FragmentB &b) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+r"(c.r[0]), "+r"(c.r[1]), "+r"(c.r[2]), "+r"(c.r[3])
               : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}
// Four [8][8] matrices of 16 bits: lane 8i + j gives the address of row j of matrix i in shared memory, 16-byte aligned; then
// r[i] of a lane is elements [g][2t, 2t+1] of matrix i (transposed: [2t, 2t+1][g]).
INGOT_DEVICE void loadMatrix4(uint32_t (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"((uint32_t)__cvta_generic_to_shared(row))
               : "memory");
}
INGOT_DEVICE void loadMatrix4Transposed(uint32_t (&r)[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"((uint32_t)__cvta_generic_to_shared(row))
               : "memory");
}

// --- Asynchronous copies from global to shared memory ---
// Copies 16 bytes, both sides 16-byte aligned; of the source only the first `bytes` (0..16), the rest becomes zero. The
// data may be read by this thread after waitCopies, by others after a barrier that follows it.
INGOT_DEVICE void copyAsync16(void *shared, const void *global, uint32_t bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((uint32_t)__cvta_generic_to_shared(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes)
               : "memory");
}
// 4 bytes, aligned so; `bytes` 0 or 4.
INGOT_DEVICE void copyAsync4(void *shared, const void *global, uint32_t bytes = 4) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"((uint32_t)__cvta_generic_to_shared(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes)
               : "memory");
}
// The copies of this thread since the last commit become a group.
INGOT_DEVICE void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most `left` groups of this thread are on their way.
template <int left> INGOT_DEVICE void waitCopies() { asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory"); }

// --- Memory ---
// From the second cache, past the first: what another block of this launch has written before a fence.
INGOT_DEVICE float loadCoherent(const float *global) {
  float v;
  asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(v) : "l"(__cvta_generic_to_global(global)) : "memory");
  return v;
}
INGOT_DEVICE Vector16 loadCoherent(const Vector16 *global) {
  Vector16 v;
  asm volatile("ld.global.cg.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(__cvta_generic_to_global(global))
               : "memory");
  return v;
}
// Adds to memory and gives what was there.
INGOT_DEVICE uint32_t atomicAddGlobal(uint32_t *address, uint32_t value) { return ::atomicAdd(address, value); }
INGOT_DEVICE void atomicStoreIfZero(int32_t *address, int32_t value) { ::atomicCAS(address, 0, value); }

// --- The launches before and after in the stream (nothing before compute capability 9.0) ---
// Waits until the launch before has ended and its writes are seen. Before it a kernel may read weights only.
INGOT_DEVICE void waitForPreviousLaunch() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
// The next launch may begin, up to its own waitForPreviousLaunch.
INGOT_DEVICE void letNextLaunchBegin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// --- Numbers ---
INGOT_DEVICE uint32_t bitsOf(float value) { return __float_as_uint(value); }
INGOT_DEVICE float floatOf(uint32_t bits) { return __uint_as_float(bits); }
INGOT_DEVICE float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
INGOT_DEVICE double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
// Nothing is fused into these.
INGOT_DEVICE float add(float a, float b) { return __fadd_rn(a, b); }
INGOT_DEVICE float multiply(float a, float b) { return __fmul_rn(a, b); }
INGOT_DEVICE float divide(float a, float b) { return __fdiv_rn(a, b); }
INGOT_DEVICE float squareRoot(float a) { return __fsqrt_rn(a); }
// 2^x to 2 units in the last place; 0 for -infinity.
INGOT_DEVICE float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// To nearest even.
INGOT_DEVICE bf16 toBf16(float value) {
  bf16 b;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(b.bits) : "f"(value));
  return b;
}
INGOT_DEVICE f16 toF16(float value) {
  f16 h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(value));
  return h;
}
INGOT_DEVICE float toFloat(bf16 value) { return __uint_as_float((uint32_t)value.bits << 16); }
INGOT_DEVICE float toFloat(f16 value) {
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(value.bits));
  return f;
}
// Two at once: `low` in the low half.
INGOT_DEVICE uint32_t packBf16(float low, float high) {
  uint32_t r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
INGOT_DEVICE uint32_t packF16(float low, float high) {
  uint32_t r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
// Sums of pairs of 16-bit floats, each rounded once.
INGOT_DEVICE uint32_t addPairs(uint32_t a, uint32_t b, bf16) {
  uint32_t r;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(0x3f803f80u), "r"(b));
  return r;
}
INGOT_DEVICE uint32_t addPairs(uint32_t a, uint32_t b, f16) {
  uint32_t r;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
// To nearest even, clamped to 32 bits.
INGOT_DEVICE int32_t roundToInt(float value) { return __float2int_rn(value); }
// The high half of the product.
INGOT_DEVICE uint32_t multiplyHigh(uint32_t a, uint32_t b) { return __umulhi(a, b); }
INGOT_DEVICE int32_t countBits(uint32_t value) { return __popc(value); }
// Of the eight bytes of b:a those that the four nibbles of `selector` name.
INGOT_DEVICE uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) { return __byte_perm(a, b, selector); }

} // namespace ingot::device

#else
#include "compiler/target/cuda/device/primitives_host.h"
#endif

#endif
