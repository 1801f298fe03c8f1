// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mistakes that are put into the device source of products, to see that the tests notice them: what is replaced in
// which header, which product and function then goes wrong, and words of a failure. Each is a library of its own,
// compiled from a copy of the header.
#ifndef INGOT_TEST_UNIT_CUDA_LINEAR_MISTAKES_H
#define INGOT_TEST_UNIT_CUDA_LINEAR_MISTAKES_H

namespace ingot::test {

struct LinearMistake {
  const char *header, *from, *to; // the first occurrence
  const char *product, *function;
  int rows;
  const char *words;
};

inline constexpr LinearMistake kLinearMistakes[] = {
    {"linear_rows.h", "    barrierWarp();\n", "", "bf16-bf16-n40-k1100", "rows8", 8,
     "asynchronous copy|no barrier|nothing has written"},
    {"linear_rows.h", "waitCopies<kRing - 2>", "waitCopies<kRing - 1>", "bf16-bf16-n40-k1100", "rows8", 8,
     "was not waited for"},
    {"linear_rows.h", "slot == 0 ? kRing - 1 : slot - 1", "slot", "bf16-bf16-n20-k3000", "rows8", 8,
     "asynchronous copy|no barrier|nothing has written"},
    {"linear_rows.h", "ring + slot * kStepBytes;", "ring + (slot + 1) % kRing * kStepBytes;", "bf16-bf16-n40-k1100",
     "rows8", 8, "asynchronous copy|no barrier|nothing has written|difference"},
    {"linear_rows.h", "  barrier(); // the rings are read\n", "", "bf16-bf16-n40-k1100", "rows8", 8, "no barrier"},
    {"linear_rows.h", "stored();\n  barrier();\n", "stored();\n", "bf16-bf16-n40-k1100", "rows8", 8,
     "no barrier|nothing has written"},
    {"linear_rows.h", "other < kWarps", "other < kWarps - 1", "int4-asym-g32-n160-k1100", "rows8", 8, "difference"},
    {"linear_tiles.h", "      barrier(); // the stages of the tile before are read\n", "", "bf16-bf16-n40-k1100",
     "tiles", 300, "no barrier"},
    {"linear_tiles.h", "      waitCopies<kStages - 2>();\n      barrier();\n", "      waitCopies<kStages - 2>();\n",
     "bf16-bf16-n40-k1100", "tiles", 130, "no barrier|asynchronous copy|nothing has written"},
    {"linear_tiles.h", "waitCopies<kStages - 2>", "waitCopies<kStages - 1>", "f32-f32-n160-k1100", "tiles", 65,
     "was not waited for|asynchronous copy|no barrier"},
    {"linear_tiles.h", "granuleAt(row, t *", "granuleAt(row ^ 1, t *", "f32-bf16-n160-k300", "tiles", 65, "difference"},
    {"linear_tiles.h", "left = left < 0 ? 0 : left > 16 ? 16 : left;", "left = 16;", "bf16-bf16-n40-k1100", "tiles", 65,
     "outside of any allocation"},
    {"linear_tiles.h", "parts[number % kParts * partVectors", "parts[0 * partVectors", "bf16-bf16-n40-k1100", "rows32",
     32, "difference"},
    {"linear_tiles.h", "part = 1; part < kParts", "part = 2; part < kParts", "bf16-bf16-n40-k1100", "rows16", 16,
     "difference"},
    {"linear_tiles.h", "*counter = 0;", ";", "bf16-bf16-n40-k1100", "rows64", 64, "counters that are not zero"},
    {"linear_operands.h", "wordOf<T>(i / 4, i % 4 * 4) * 4", "(wordOf<T>(i / 4, i % 4 * 4) ^ 8) * 4",
     "bf16-bf16-n37-k71", "rows8", 7, "difference"},
    {"linear_operands.h", "(inside ? offset : 0), inside ? 16 : 0", "offset, 16", "f32-f32-n37-k71", "rows8", 7,
     "outside of any allocation|difference"},
    {"linear_sums.h", "        group.r[i] = 0.0f;\n", "", "f32-int4-g128-n160-k1100", "tiles", 9, "difference"},
    {"linear_operands.h", "if (i + j < 3)", "if (i + j < 2)", "f32-f32-n1-k1", "rows64", 64, "difference"},
    {"linear_epilogue.h", "r >= rows || column >= p.n", "r >= rows", "bf16-bf16-n37-k71", "rows8", 7,
     "outside of any allocation|difference"},
    {"linear_epilogue.h", "stats[r * tiles + tile]", "stats[r * tiles + tile + 1]", "bias-residual-stats-bf16", "rows8",
     7, "outside of any allocation|difference"},
};
inline constexpr int kLinearMistakesCount = sizeof(kLinearMistakes) / sizeof(kLinearMistakes[0]);

} // namespace ingot::test

#endif
