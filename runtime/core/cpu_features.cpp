// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cpu_features.h. A feature counts only when the CPU has it and the operating system saves the registers it uses
// (XCR0); AMX also needs the kernel's permission for this process.
#include "runtime/core/cpu_features.h"

#include <array>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ingot::runtime {

namespace {

enum Register { Eax, Ebx, Ecx, Edx };

// What must be saved by the operating system before a feature can be used, as bits of XCR0.
constexpr uint64_t kNone = 0, kAvx = 0x6, kAvx512 = 0xe6, kAmx = 0x60000;

struct Feature {
  std::string_view name;
  unsigned leaf, subleaf;
  Register where;
  unsigned bit;
  uint64_t state;
};

// Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, Ecx, 0, kNone},
    {"ssse3", 1, 0, Ecx, 9, kNone},
    {"fma", 1, 0, Ecx, 12, kAvx},
    {"sse4.1", 1, 0, Ecx, 19, kNone},
    {"sse4.2", 1, 0, Ecx, 20, kNone},
    {"movbe", 1, 0, Ecx, 22, kNone},
    {"popcnt", 1, 0, Ecx, 23, kNone},
    {"avx", 1, 0, Ecx, 28, kAvx},
    {"f16c", 1, 0, Ecx, 29, kAvx},
    {"bmi", 7, 0, Ebx, 3, kNone},
    {"avx2", 7, 0, Ebx, 5, kAvx},
    {"bmi2", 7, 0, Ebx, 8, kNone},
    {"avx512f", 7, 0, Ebx, 16, kAvx512},
    {"avx512dq", 7, 0, Ebx, 17, kAvx512},
    {"avx512ifma", 7, 0, Ebx, 21, kAvx512},
    {"avx512cd", 7, 0, Ebx, 28, kAvx512},
    {"avx512bw", 7, 0, Ebx, 30, kAvx512},
    {"avx512vl", 7, 0, Ebx, 31, kAvx512},
    {"avx512vbmi", 7, 0, Ecx, 1, kAvx512},
    {"avx512vbmi2", 7, 0, Ecx, 6, kAvx512},
    {"gfni", 7, 0, Ecx, 8, kNone},
    {"avx512vnni", 7, 0, Ecx, 11, kAvx512},
    {"avx512bitalg", 7, 0, Ecx, 12, kAvx512},
    {"avx512vpopcntdq", 7, 0, Ecx, 14, kAvx512},
    {"amx_bf16", 7, 0, Edx, 22, kAmx},
    {"avx512fp16", 7, 0, Edx, 23, kAvx512},
    {"amx_tile", 7, 0, Edx, 24, kAmx},
    {"amx_int8", 7, 0, Edx, 25, kAmx},
    {"avxvnni", 7, 1, Eax, 4, kAvx},
    {"avx512bf16", 7, 1, Eax, 5, kAvx512},
    {"amx_fp16", 7, 1, Eax, 21, kAmx},
    {"avxifma", 7, 1, Eax, 23, kAvx},
    {"avxvnniint8", 7, 1, Edx, 4, kAvx},
    {"avxneconvert", 7, 1, Edx, 5, kAvx},
    {"lzcnt", 0x80000001, 0, Ecx, 5, kNone},
};

// The name without '_' and '-'.
std::string plain(std::string_view name) {
  std::string out;
  for (char c : name)
    if (c != '_' && c != '-')
      out += c;
  return out;
}

#if defined(__x86_64__)

using Registers = std::array<unsigned, 4>;

Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r{};
  // False (and zeros) for a leaf that the CPU lacks.
  __get_cpuid_count(leaf, subleaf, &r[Eax], &r[Ebx], &r[Ecx], &r[Edx]);
  return r;
}

uint64_t savedState() {
  constexpr unsigned kOsxsave = 27;
  if (!(cpuid(1, 0)[Ecx] >> kOsxsave & 1))
    return 0;
  unsigned low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

// Linux gives a process the AMX tile registers only when it asks; threads started later inherit the right.
bool amxPermitted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::string detectVendor() {
  Registers r = cpuid(0, 0);
  std::string name;
  for (unsigned word : {r[Ebx], r[Edx], r[Ecx]})
    for (unsigned byte = 0; byte < 4; ++byte)
      name += char(word >> 8 * byte & 0xff);
  return name;
}

// Intel SDM volume 2A, CPUID, leaf 1: the extended family counts where the family is 15.
unsigned detectFamily() {
  const unsigned signature = cpuid(1, 0)[Eax], family = signature >> 8 & 0xf, extended = signature >> 20 & 0xff;
  return family == 0xf ? family + extended : family;
}

std::set<std::string, std::less<>> detect() {
  std::set<std::string, std::less<>> names;
  uint64_t saved = savedState();
  bool amx = false;
  for (const Feature &feature : kFeatures) {
    if (feature.leaf == 7 && feature.subleaf > cpuid(7, 0)[Eax])
      continue;
    if (!(cpuid(feature.leaf, feature.subleaf)[feature.where] >> feature.bit & 1))
      continue;
    if ((saved & feature.state) != feature.state)
      continue;
    amx |= feature.state == kAmx;
    names.emplace(feature.name);
  }
  if (amx && !amxPermitted())
    for (const Feature &feature : kFeatures)
      if (feature.state == kAmx)
        names.erase(std::string(feature.name));
  return names;
}

#else

std::string detectVendor() { return ""; }
unsigned detectFamily() { return 0; }
std::set<std::string, std::less<>> detect() { return {}; }

#endif

// The feature sets of the CPU target: which one each stands on, and what it adds.
struct Isa {
  std::string_view name, base;
  std::span<const std::string_view> adds;
};
constexpr std::string_view kAvx2Adds[] = {"avx2", "fma", "f16c", "bmi2"};
constexpr std::string_view kAvx512Adds[] = {"avx512f", "avx512bw", "avx512dq", "avx512vl"};
constexpr std::string_view kAvxVnniAdds[] = {"avxvnni"};
constexpr std::string_view kAvx512VnniAdds[] = {"avx512vnni"};
constexpr std::string_view kAvx512Bf16Adds[] = {"avx512bf16"};
constexpr std::string_view kAmxAdds[] = {"amx_tile", "amx_bf16", "amx_int8"};
constexpr Isa kIsas[] = {
    {"avx2", "", kAvx2Adds},
    {"avxvnni", "avx2", kAvxVnniAdds},
    {"avx512", "avx2", kAvx512Adds},
    {"avx512vnni", "avx512", kAvx512VnniAdds},
    {"avx512bf16", "avx512vnni", kAvx512Bf16Adds},
    {"amx", "avx512bf16", kAmxAdds},
};

const Isa *findIsa(std::string_view name) {
  for (const Isa &isa : kIsas)
    if (isa.name == name)
      return &isa;
  return nullptr;
}

} // namespace

const CpuFeatures &CpuFeatures::host() {
  static const CpuFeatures features(detect(), detectVendor(), detectFamily());
  return features;
}

bool CpuFeatures::has(std::string_view feature) const {
  std::string wanted = plain(feature);
  for (const std::string &name : names)
    if (plain(name) == wanted)
      return true;
  return false;
}

unsigned CpuFeatures::readStreams() const {
  constexpr unsigned kZen5 = 26;
  return vendor() == "AuthenticAMD" && family() == kZen5 ? 1 : 0;
}

bool CpuFeatures::known(std::string_view feature) {
  std::string wanted = plain(feature);
  for (const Feature &entry : kFeatures)
    if (plain(entry.name) == wanted)
      return true;
  return false;
}

std::span<const std::string_view> isaNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Isa &isa : kIsas)
      all.push_back(isa.name);
    return all;
  }();
  return names;
}

std::vector<std::string_view> isaChain(std::string_view name, const CpuFeatures &cpu) {
  std::vector<std::string_view> chain;
  for (const Isa *isa = findIsa(name); isa; isa = findIsa(isa->base)) {
    for (std::string_view feature : isa->adds)
      if (!cpu.has(feature))
        return {name};
    chain.push_back(isa->name);
  }
  return chain.empty() ? std::vector<std::string_view>{name} : chain;
}

CpuFeatures featuresOf(std::string_view name, const CpuFeatures &cpu) {
  std::set<std::string, std::less<>> some;
  for (const Isa *isa = findIsa(name); isa; isa = findIsa(isa->base))
    for (std::string_view feature : isa->adds)
      if (cpu.has(feature))
        some.emplace(feature);
  return CpuFeatures(std::move(some), cpu.vendor(), cpu.family());
}

Result<std::optional<std::string>> isaRestriction() {
  const char *value = std::getenv("INGOT_ISA");
  if (!value || !*value)
    return std::optional<std::string>();
  std::string known;
  for (std::string_view name : isaNames()) {
    if (name == value)
      return std::optional<std::string>(value);
    known += known.empty() ? "" : ", ";
    known += name;
  }
  return makeError(ErrorCode::InvalidArgument, "INGOT_ISA is %s, expected one of %s (or unset it to let Ingot choose)",
                   quoted(value).c_str(), known.c_str());
}

} // namespace ingot::runtime
