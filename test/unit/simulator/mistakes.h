// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small kernels of 64 threads, each in two forms: `fine_NAME`, and `wrong_NAME` with one mistake; and what is found of it. Read
// twice: by mistakes.cpp, which defines them, and by findings_test.cpp.
#ifndef INGOT_TEST_UNIT_SIMULATOR_MISTAKES_H
#define INGOT_TEST_UNIT_SIMULATOR_MISTAKES_H

// name, words of the finding; with | between, where the order of threads decides what is seen
#define INGOT_MISTAKES(M)                                                                                              \
  M(barrier, "no barrier between them")                                                                                \
  M(barrierBeforeWrite, "no barrier between them")                                                                     \
  M(barrierOfWarp, "no barrier between them")                                                                          \
  M(barrierOfWarpBeforeWrite, "no barrier between them")                                                               \
  M(barrierOfWarpForBlock, "no barrier between them")                                                                  \
  M(shuffleForBarrier, "no barrier between them")                                                                      \
  M(twoWriters, "no barrier between them")                                                                             \
  M(bytesOfWord, "no barrier between them")                                                                            \
  M(wait, "was not waited for")                                                                                        \
  M(waitForTooFew, "was not waited for")                                                                               \
  M(commit, "was not waited for")                                                                                      \
  M(barrierAfterWait, "no barrier between them|was not waited for")                                                    \
  M(writeUnderCopy, "an asynchronous copy by thread")                                                                  \
  M(copyUnderCopy, "an asynchronous copy by thread")                                                                   \
  M(copyOverReads, "no barrier between them")                                                                          \
  M(copyBeyondShared, "copies asynchronously to byte")                                                                 \
  M(copyBeyondSource, "outside of any allocation")                                                                     \
  M(copyMisaligned, "not aligned")                                                                                     \
  M(copyToGlobal, "not shared memory")                                                                                 \
  M(readBeyond, "outside of any allocation")                                                                           \
  M(readBefore, "outside of any allocation")                                                                           \
  M(writeBeyond, "outside of any allocation")                                                                          \
  M(coherentBeyond, "outside of any allocation")                                                                       \
  M(copyOfMemoryBeyond, "outside of any allocation")                                                                   \
  M(readBeyondShared, "of which the block has")                                                                        \
  M(writeBeyondShared, "of which the block has")                                                                       \
  M(misalignedWord, "not aligned")                                                                                     \
  M(misalignedVector, "not aligned")                                                                                   \
  M(misalignedVectorOfShared, "not aligned")                                                                           \
  M(misalignedCoherent, "not aligned")                                                                                 \
  M(misalignedMatrix, "not aligned")                                                                                   \
  M(matrixBeyondShared, "of which the block has")                                                                      \
  M(twoBarriers, "threads of a block must meet at the same one")                                                       \
  M(endBeforeBarrier, "not all threads come to")                                                                       \
  M(endBeforeShuffle, "not all threads come to")                                                                       \
  M(lanesApart, "all 32 lanes must take part")                                                                         \
  M(halfAtBarrier, "not all threads come to")                                                                          \
  M(unwritten, "which nothing has written")                                                                            \
  M(halfWritten, "which nothing has written")                                                                          \
  M(leftByOtherBlock, "which nothing has written")                                                                     \
  M(fragmentA, "fragment a whose register 2")                                                                          \
  M(fragmentB, "fragment b whose register 1")                                                                          \
  M(fragmentC, "fragment c whose register 0")                                                                          \
  M(fragmentInt, "fragment c whose register 3")                                                                        \
  M(fragmentIntA, "fragment a whose register 1")                                                                       \
  M(constant, "which is no memory of the device")                                                                      \
  M(null, "which is no memory of the device")

// What nobody may find, though it is near to a mistake.
#define INGOT_FINE(M)                                                                                                  \
  M(neighbouringBytes) M(readersAfterBarrierOfWarp) M(reuseBetweenBlocks) M(oneThreadAlone) M(partsOfWord)             \
  M(endAfterBarrier) M(ringOfCopies) M(integersLikeNothing)

#endif
