// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many cores this process may use and how large their caches are. Results never depend on any of it.
#ifndef INGOT_RUNTIME_CORE_MACHINE_H
#define INGOT_RUNTIME_CORE_MACHINE_H

#include <cstdint>
#include <span>
#include <string>

namespace ingot::runtime {

// Logical CPUs that the affinity mask allows, at most the CPU time that the control groups allow (rounded up); at
// least 1.
unsigned allowedCpus();

// The default number of threads: the same in physical cores, since two workers on one core only share its units.
// Threads are not pinned: the affinity mask is the user's to set, and the scheduler moves a thread away from a core
// that others use, where a pinned one would hold up every barrier.
unsigned defaultThreads();

struct CacheSizes {
  uint64_t l1;      // data, of one core
  uint64_t l2;      // of one core (its share, where cores share one)
  uint64_t l3;      // of one L3 as a whole; 0 where there is none
  unsigned l3Cores; // allowed physical cores that share one L3
};
CacheSizes cacheSizes();

// "AMD EPYC 7543 32-Core Processor", or "unknown CPU".
std::string cpuName();

// Where Linux tells of control groups, versions 1 and 2; tests put their own in place.
struct ControlGroups {
  std::string list = "/proc/self/cgroup";
  std::string root = "/sys/fs/cgroup";
};

// defaultThreads() on another machine: `cpus` are those that the affinity mask allows, `folder` is its
// /sys/devices/system/cpu.
unsigned defaultThreads(std::span<const unsigned> cpus, const std::string &folder, const ControlGroups &where);

// CPUs' worth of time that the control groups allow, the least of this process's group and its ancestors; 0: no limit.
double cpuQuota(const ControlGroups &where = {});

// Bytes of memory that the machine has and the control groups allow.
uint64_t memoryLimit(const ControlGroups &where = {});

// Parses a list such as "0-3,8,10-11" (as sysfs writes) into a count of its members below `limit`; for tests.
unsigned countCpuList(const char *text, unsigned limit);

} // namespace ingot::runtime

#endif
