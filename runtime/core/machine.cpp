// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See machine.h. Everything comes from Linux: the affinity mask, /sys/devices/system/cpu and the control groups. What
// cannot be read is left out: containers often hide some of it.
#include "runtime/core/machine.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>
#include <set>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ingot::runtime {

namespace {

// The text of a small file of sysfs or procfs; empty where it cannot be read.
std::string slurp(const std::string &path) {
  std::string text;
  if (FILE *file = std::fopen(path.c_str(), "re")) {
    char buffer[4096];
    size_t got;
    while (text.size() < (1 << 20) && (got = std::fread(buffer, 1, sizeof buffer, file)) > 0)
      text.append(buffer, got);
    std::fclose(file);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

std::vector<unsigned> affinity() {
  std::vector<unsigned> cpus;
  // The mask is as long as the kernel's own, which may pass 1,024 CPUs.
  for (unsigned count = CPU_SETSIZE; count <= (1u << 20); count *= 2) {
    cpu_set_t *set = CPU_ALLOC(count);
    size_t bytes = CPU_ALLOC_SIZE(count);
    CPU_ZERO_S(bytes, set);
    bool ok = sched_getaffinity(0, bytes, set) == 0;
    bool tooShort = !ok && errno == EINVAL;
    if (ok)
      for (unsigned cpu = 0; cpu < count; ++cpu)
        if (CPU_ISSET_S(cpu, bytes, set))
          cpus.push_back(cpu);
    CPU_FREE(set);
    if (!tooShort)
      break;
  }
  if (cpus.empty())
    cpus.push_back(0);
  return cpus;
}

const std::string kCpus = "/sys/devices/system/cpu";

std::string cpuFolder(unsigned cpu) { return kCpus + "/cpu" + std::to_string(cpu); }

// Physical cores are told apart by the list of hardware threads that a CPU shares its core with; a CPU without one is a
// core of its own.
unsigned physicalCores(std::span<const unsigned> cpus, const std::string &folder = kCpus) {
  std::set<std::string> cores;
  for (unsigned cpu : cpus) {
    std::string name = "cpu" + std::to_string(cpu);
    std::string siblings = slurp(folder + "/" + name + "/topology/thread_siblings_list");
    cores.insert(siblings.empty() ? name : siblings);
  }
  return unsigned(cores.size());
}

// Calls visit(folder) for this process's control group and each of its ancestors. `controller` empty: version 2.
template <class Visit> void visitGroups(const ControlGroups &where, const char *controller, Visit visit) {
  std::string groups = slurp(where.list);
  for (size_t at = 0; at < groups.size();) {
    size_t end = std::min(groups.find('\n', at), groups.size());
    std::string line = groups.substr(at, end - at);
    at = end + 1;
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    bool version2 = controllers == ",,";
    if (*controller ? controllers.find("," + std::string(controller) + ",") == std::string::npos : !version2)
      continue;
    std::string root = *controller ? where.root + "/" + controller : where.root;
    // Inside a container the path may be the host's, which is not there; its root then holds our limits.
    for (;;) {
      visit(root + (path == "/" ? "" : path));
      size_t slash = path.rfind('/');
      if (path.empty() || path == "/" || slash == std::string::npos)
        break;
      path = slash == 0 ? "/" : path.substr(0, slash);
    }
  }
}

// "32K", "1M", "1024K" as sysfs writes cache sizes.
uint64_t parseSize(const std::string &text) {
  char *end = nullptr;
  uint64_t value = std::strtoull(text.c_str(), &end, 10);
  switch (end ? *end : 0) {
  case 'K':
    return value << 10;
  case 'M':
    return value << 20;
  case 'G':
    return value << 30;
  default:
    return value;
  }
}

// Calls visit for each number of a list such as "0-3,8,10-11".
template <class Visit> void visitList(const char *text, Visit visit) {
  while (*text) {
    char *end;
    unsigned long first = std::strtoul(text, &end, 10);
    if (end == text)
      return;
    unsigned long last = first;
    if (*end == '-') {
      text = end + 1;
      last = std::strtoul(text, &end, 10);
      if (end == text)
        return;
    }
    for (unsigned long i = first; i <= last && i - first < (1u << 20); ++i)
      visit(unsigned(i));
    if (*end != ',')
      return;
    text = end + 1;
  }
}

} // namespace

double cpuQuota(const ControlGroups &where) {
  double least = 0;
  auto take = [&](double quota, double period) {
    if (quota > 0 && period > 0 && (least == 0 || quota / period < least))
      least = quota / period;
  };
  visitGroups(where, "", [&](const std::string &folder) {
    std::string text = slurp(folder + "/cpu.max"); // "max 100000" or "150000 100000"
    double quota, period;
    if (std::sscanf(text.c_str(), "%lf %lf", &quota, &period) == 2)
      take(quota, period);
  });
  visitGroups(where, "cpu", [&](const std::string &folder) {
    take(std::atof(slurp(folder + "/cpu.cfs_quota_us").c_str()),
         std::atof(slurp(folder + "/cpu.cfs_period_us").c_str()));
  });
  return least;
}

unsigned countCpuList(const char *text, unsigned limit) {
  unsigned count = 0;
  visitList(text, [&](unsigned cpu) { count += cpu < limit; });
  return count;
}

// `cpus`, or fewer where the control groups give less time than that.
static unsigned withinQuota(unsigned cpus, const ControlGroups &where = {}) {
  double quota = cpuQuota(where);
  return quota > 0 && quota < cpus ? std::max(1u, unsigned(std::ceil(quota))) : cpus;
}

unsigned allowedCpus() { return withinQuota(unsigned(affinity().size())); }
unsigned defaultThreads() { return defaultThreads(affinity(), kCpus, {}); }

unsigned defaultThreads(std::span<const unsigned> cpus, const std::string &folder, const ControlGroups &where) {
  return withinQuota(std::max(1u, physicalCores(cpus, folder)), where);
}

CacheSizes cacheSizes() {
  CacheSizes sizes{0, 0, 0, 1};
  std::vector<unsigned> cpus = affinity();
  for (unsigned index = 0; index < 8; ++index) {
    std::string folder = cpuFolder(cpus[0]) + "/cache/index" + std::to_string(index);
    std::string type = slurp(folder + "/type");
    if (type.empty())
      break;
    if (type == "Instruction")
      continue;
    uint64_t bytes = parseSize(slurp(folder + "/size"));
    std::vector<unsigned> sharing;
    visitList(slurp(folder + "/shared_cpu_list").c_str(), [&](unsigned cpu) {
      if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end())
        sharing.push_back(cpu);
    });
    unsigned cores = std::max(1u, physicalCores(sharing));
    switch (std::atoi(slurp(folder + "/level").c_str())) {
    case 1:
      sizes.l1 = bytes;
      break;
    case 2:
      sizes.l2 = bytes / cores;
      break;
    case 3:
      sizes.l3 = bytes;
      sizes.l3Cores = cores;
      break;
    }
  }
  auto ask = [](int name, uint64_t otherwise) {
    long value = sysconf(name);
    return value > 0 ? uint64_t(value) : otherwise;
  };
  if (sizes.l1 == 0)
    sizes.l1 = ask(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  if (sizes.l2 == 0)
    sizes.l2 = ask(_SC_LEVEL2_CACHE_SIZE, 256 << 10);
  if (sizes.l3 == 0)
    sizes.l3 = ask(_SC_LEVEL3_CACHE_SIZE, 0), sizes.l3Cores = std::max(1u, physicalCores(cpus));
  return sizes;
}

std::string cpuName() {
  std::string text = slurp("/proc/cpuinfo");
  size_t at = text.find("model name");
  size_t colon = at == std::string::npos ? at : text.find(": ", at);
  if (colon == std::string::npos)
    return "unknown CPU";
  return text.substr(colon + 2, std::min(text.find('\n', colon), text.size()) - colon - 2);
}

uint64_t memoryLimit(const ControlGroups &where) {
  uint64_t least = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
  auto take = [&](const std::string &text) {
    char *end;
    uint64_t bytes = std::strtoull(text.c_str(), &end, 10);
    if (end != text.c_str() && bytes > 0)
      least = std::min(least, bytes);
  };
  visitGroups(where, "", [&](const std::string &folder) { take(slurp(folder + "/memory.max")); });
  visitGroups(where, "memory", [&](const std::string &folder) { take(slurp(folder + "/memory.limit_in_bytes")); });
  return least;
}

} // namespace ingot::runtime
