// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// runtime/core: errors, files, checksums, what the machine is.
#include "runtime/core/checksum.h"
#include "runtime/core/cpu_features.h"
#include "runtime/core/error.h"
#include "runtime/core/file.h"
#include "runtime/core/machine.h"
#include "runtime/core/memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ingot::runtime;
namespace fs = std::filesystem;

namespace {

// A folder that goes away with the test.
class Folder : public testing::Test {
protected:
  Folder() {
    std::string name = fs::temp_directory_path() / "ingot-test-XXXXXX";
    if (mkdtemp(name.data()))
      path = name;
  }
  ~Folder() override { fs::remove_all(path); }
  std::string at(const char *name) const { return path / name; }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto &entry : fs::directory_iterator(path))
      list.push_back(entry.path().filename());
    return list;
  }
  fs::path path;
};

using FileTest = Folder;

Result<int> half(int value) {
  if (value % 2)
    return makeError(ErrorCode::InvalidArgument, "%d is odd, expected an even number", value);
  return value / 2;
}

Result<int> quarter(int value) {
  INGOT_ASSIGN_OR_RETURN(int once, half(value));
  INGOT_ASSIGN_OR_RETURN(int twice, half(once));
  return twice;
}

std::span<const uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

} // namespace

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(*quarter(12), 3);
  auto odd = quarter(6);
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(odd.error().message(), "3 is odd, expected an even number");
  EXPECT_EQ(std::move(odd).error().prefixed("quarter of 6").message(),
            "quarter of 6: 3 is odd, expected an even number");
  auto moved = Result<std::unique_ptr<int>>(std::make_unique<int>(5));
  EXPECT_EQ(**moved, 5);
  std::unique_ptr<int> taken = *std::move(moved);
  EXPECT_EQ(*taken, 5);
}

TEST(Result, NamesItsCodes) {
  EXPECT_EQ(errorCodeName(ErrorCode::InvalidArgument), "invalid_argument");
  EXPECT_EQ(errorCodeName(ErrorCode::ResourceExhausted), "resource_exhausted");
}

TEST(Quoted, MakesNamesHarmless) {
  EXPECT_EQ(ingot::runtime::quoted("model.layers.0"), "'model.layers.0'");
  EXPECT_EQ(ingot::runtime::quoted("größe 長"), "'größe 長'");
  EXPECT_EQ(ingot::runtime::quoted(std::string_view("a\0b\n\x1b\xff", 6)), "'a\\x00b\\x0a\\x1b\\xff'");
  EXPECT_EQ(ingot::runtime::quoted("\xe9\x95"), "'\\xe9\\x95'"); // cut within a character
  EXPECT_EQ(ingot::runtime::quoted("\xc0\x80"), "'\\xc0\\x80'"); // overlong
  EXPECT_EQ(ingot::runtime::quoted(std::string(200, 'x')), "'" + std::string(120, 'x') + "...'");
}

TEST_F(FileTest, ReadsWhatIsThereAndNoMore) {
  std::string name = at("data");
  FILE *out = std::fopen(name.c_str(), "w");
  std::fputs("0123456789", out);
  std::fclose(out);
  auto file = File::open(name);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->size(), 10u);
  uint8_t some[4];
  ASSERT_TRUE(file->readAt(3, some).ok());
  EXPECT_EQ(std::memcmp(some, "3456", 4), 0);
  auto beyond = file->readAt(8, some);
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code(), ErrorCode::Corrupt);
  EXPECT_EQ(beyond.error().message(), name + ": ends at byte 10, 2 bytes short of what is needed: truncated?");
  EXPECT_EQ(*readTextFile(name), "0123456789");
  auto tooLong = readTextFile(name, 9);
  ASSERT_FALSE(tooLong.ok());
  EXPECT_EQ(tooLong.error().message(), name + ": is 10 bytes, expected at most 9");
}

TEST_F(FileTest, MapsAnEmptyFile) {
  std::string name = at("empty");
  std::fclose(std::fopen(name.c_str(), "w"));
  auto mapped = MappedFile::open(name);
  ASSERT_TRUE(mapped.ok());
  EXPECT_TRUE((*mapped)->bytes().empty());
}

// Where the page cache has large pages, only a mapping that lies as the file does can use them. Some systems place
// files of a disk so by themselves, none does for files in memory without large pages.
TEST_F(FileTest, MapsLargeFilesAtLargePages) {
  const bool memory = access("/dev/shm", W_OK) == 0;
  std::string name = memory ? "/dev/shm/ingot-core-test-" + std::to_string(getpid()) : at("large");
  std::string text((5 << 20) + 123, 'x');
  text[(2 << 20) + 7] = 'y';
  text.back() = 'z';
  {
    auto file = AtomicFile::create(name);
    ASSERT_TRUE(file.ok() && (*file)->write(text).ok() && (*file)->commit().ok());
  }
  auto mapped = MappedFile::open(name), again = MappedFile::open(name);
  fs::remove(name);
  ASSERT_TRUE(mapped.ok() && again.ok());
  for (const auto &file : {*mapped, *again}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file->bytes().data()) % kLargePage, 0u);
    EXPECT_EQ(inLargePages(file->bytes().data(), file->bytes().size()), 0u); // nothing of it was touched
    EXPECT_EQ(std::string_view(reinterpret_cast<const char *>(file->bytes().data()), file->bytes().size()), text);
    EXPECT_LE(inLargePages(file->bytes().data(), file->bytes().size()), file->bytes().size());
  }
}

TEST_F(FileTest, AtomicFileAppearsWhole) {
  std::string name = at("out");
  {
    auto file = AtomicFile::create(name);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write("one").ok());
    EXPECT_FALSE(fs::exists(name));
    ASSERT_TRUE((*file)->write(std::string(3 << 20, 'x')).ok());
    ASSERT_TRUE((*file)->commit().ok());
  }
  EXPECT_EQ(fs::file_size(name), 3u + (3 << 20));
  EXPECT_EQ(names().size(), 1u);
  mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(unsigned(fs::status(name).permissions()), 0666u & ~mask);
}

TEST_F(FileTest, AtomicFileLeavesNothingWhenDropped) {
  std::string name = at("out");
  FILE *old = std::fopen(name.c_str(), "w");
  std::fputs("old", old);
  std::fclose(old);
  {
    auto file = AtomicFile::create(name);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write(std::string(3 << 20, 'x')).ok());
  }
  EXPECT_EQ(*readTextFile(name), "old");
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(FileTest, AtomicFileSaysWhyItCannot) {
  auto missing = AtomicFile::create(at("no/such/folder"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  auto folder = AtomicFile::create(path);
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().message(), path.string() + ": is a directory, expected the name of a file to write");
  auto full = AtomicFile::create("/dev/full");
  ASSERT_TRUE(full.ok()) << full.error().message();
  ASSERT_TRUE((*full)->write("x").ok());
  auto result = (*full)->commit();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::ResourceExhausted);
  EXPECT_EQ(result.error().message(),
            "/dev/full: cannot write: No space left on device: free some space or write elsewhere");
}

// Expected values: xxh3_64_intdigest of PyPI's xxhash 3.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum({}), 0x2d06800538d394c2u);
  RunningChecksum running;
  EXPECT_EQ(running.value(), 0x2d06800538d394c2u);
  std::string text(100000, '\0');
  for (size_t i = 0; i < text.size(); ++i)
    text[i] = char(i * 131);
  for (size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 % 1021)
    running.add(bytes(text).subspan(at, std::min(step, text.size() - at)));
  EXPECT_EQ(running.value(), 0x1096e3729a57760bu);
  EXPECT_EQ(checksum(bytes(text)), 0x1096e3729a57760bu);
  EXPECT_EQ(checksum(bytes("Ingot")), 0xd68b668ae4ced021u);
  text[99999] ^= 1;
  EXPECT_NE(running.value(), checksum(bytes(text)));
}

// Linux lists what it detected itself in /proc/cpuinfo.
TEST(CpuFeatures, AgreeWithTheKernel) {
  auto text = std::string();
  if (FILE *file = std::fopen("/proc/cpuinfo", "r")) {
    char line[8192];
    while (std::fgets(line, sizeof line, file))
      if (std::strncmp(line, "flags", 5) == 0) {
        text = std::string(std::strchr(line, ':') + 1);
        break;
      }
    std::fclose(file);
  }
  if (text.empty())
    GTEST_SKIP() << "/proc/cpuinfo lists no flags";
  text.back() = ' ';
  for (const char *name : {"ssse3", "fma", "avx", "f16c", "avx2", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl",
                           "avx512_vnni", "avx512_bf16", "avx_vnni", "movbe", "popcnt", "avx512ifma", "gfni"})
    EXPECT_EQ(CpuFeatures::host().has(name), text.find(" " + std::string(name) + " ") != std::string::npos) << name;
}

TEST(CpuFeatures, ReadsEverySpelling) {
  CpuFeatures cpu({"amx_tile", "avx512bf16"});
  EXPECT_TRUE(cpu.has("amx-tile"));
  EXPECT_TRUE(cpu.has("avx512_bf16"));
  EXPECT_FALSE(cpu.has("avx512"));
  EXPECT_TRUE(CpuFeatures::known("avx512_vnni"));
  EXPECT_FALSE(CpuFeatures::known("telepathy"));
}

// What INGOT_ISA leaves: the set it names and those below it, and never those where the CPU lacks what it names.
TEST(CpuFeatures, ChainsTheSets) {
  using Names = std::vector<std::string_view>;
  CpuFeatures zen4(
      {"avx2", "fma", "f16c", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx512bf16"},
      "AuthenticAMD");
  EXPECT_EQ(zen4.vendor(), "AuthenticAMD");
  EXPECT_EQ(zen4.readStreams(), 0u) << "was not measured";
  EXPECT_EQ(CpuFeatures({"avx2"}, "AuthenticAMD", 26).readStreams(), 1u);
  EXPECT_EQ(CpuFeatures({"avx2"}, "GenuineIntel", 26).readStreams(), 0u);
  EXPECT_EQ(isaChain("avx512bf16", zen4), (Names{"avx512bf16", "avx512vnni", "avx512", "avx2"}));
  EXPECT_EQ(isaChain("avx512", zen4), (Names{"avx512", "avx2"}));
  EXPECT_EQ(isaChain("avx2", zen4), (Names{"avx2"}));
  EXPECT_EQ(isaChain("avxvnni", zen4), (Names{"avxvnni"}));
  CpuFeatures haswell({"avx2", "fma", "f16c", "bmi2"}, "GenuineIntel");
  EXPECT_EQ(isaChain("avx512bf16", haswell), (Names{"avx512bf16"}));
  EXPECT_EQ(isaChain("sse9", haswell), (Names{"sse9"}));
}

TEST(CpuFeatures, ReadTheRestriction) {
  unsetenv("INGOT_ISA");
  EXPECT_EQ(*isaRestriction(), std::nullopt);
  setenv("INGOT_ISA", "", 1);
  EXPECT_EQ(*isaRestriction(), std::nullopt);
  setenv("INGOT_ISA", "avx512", 1);
  EXPECT_EQ(*isaRestriction(), "avx512");
  setenv("INGOT_ISA", "AVX2", 1);
  auto wrong = isaRestriction();
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(),
            "INGOT_ISA is 'AVX2', expected one of avx2, avxvnni, avx512, avx512vnni, avx512bf16, amx (or unset it to "
            "let Ingot choose)");
  unsetenv("INGOT_ISA");
}

TEST(Machine, CountsCpus) {
  EXPECT_EQ(countCpuList("0-3,8,10-11", 1024), 7u);
  EXPECT_EQ(countCpuList("0-3,8,10-11", 9), 5u);
  EXPECT_EQ(countCpuList("", 9), 0u);
  EXPECT_EQ(countCpuList("5-", 9), 0u);
  EXPECT_EQ(countCpuList("x", 9), 0u);
  EXPECT_EQ(countCpuList("0-4294967295", 16), 16u);
}

TEST(Machine, FollowsTheAffinityMask) {
  unsigned all = allowedCpus();
  EXPECT_GE(all, 1u);
  EXPECT_GE(defaultThreads(), 1u);
  EXPECT_LE(defaultThreads(), all);
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(allowedCpus(), 1u);
  EXPECT_EQ(defaultThreads(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

// Trees as a container of either version of control groups shows them.
TEST_F(FileTest, ReadsControlGroups) {
  auto put = [&](const std::string &name, const std::string &text) {
    fs::create_directories((path / name).parent_path());
    FILE *out = std::fopen((path / name).c_str(), "w");
    std::fputs(text.c_str(), out);
    std::fclose(out);
  };
  ControlGroups where{at("list"), at("root")};
  EXPECT_EQ(cpuQuota(where), 0);
  EXPECT_EQ(memoryLimit(where), uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE)));

  put("list", "0::/machine/engine\n");
  put("root/machine/engine/cpu.max", "max 100000\n");
  EXPECT_EQ(cpuQuota(where), 0);
  put("root/machine/cpu.max", "150000 100000\n"); // an ancestor's limit holds too
  put("root/machine/memory.max", "max\n");
  put("root/machine/engine/memory.max", "1048576\n");
  EXPECT_EQ(cpuQuota(where), 1.5);
  EXPECT_EQ(memoryLimit(where), 1048576u);
  put("root/machine/engine/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpuQuota(where), 0.5);

  put("list", "0::/a/path/of/the/host\n"); // which the container does not show: its root has the limits
  put("root/cpu.max", "400000 100000\n");
  EXPECT_EQ(cpuQuota(where), 4);

  put("list", "12:cpu,cpuacct:/job\n3:memory:/job\n1:name=systemd:/x\n");
  put("root/cpu/job/cpu.cfs_quota_us", "250000\n");
  put("root/cpu/job/cpu.cfs_period_us", "100000\n");
  put("root/cpu/cpu.cfs_quota_us", "-1\n");
  put("root/cpu/cpu.cfs_period_us", "100000\n");
  put("root/memory/job/memory.limit_in_bytes", "2097152\n");
  EXPECT_EQ(cpuQuota(where), 2.5);
  EXPECT_EQ(memoryLimit(where), 2097152u);
}

// 4 cores of 2 hardware threads each, as Linux numbers them on servers: CPU c and c + 4 are one core.
TEST_F(FileTest, CountsThreadsByCoreAffinityAndQuota) {
  auto put = [&](const std::string &name, const std::string &text) {
    fs::create_directories((path / name).parent_path());
    FILE *out = std::fopen((path / name).c_str(), "w");
    std::fputs(text.c_str(), out);
    std::fclose(out);
  };
  for (unsigned cpu = 0; cpu < 8; ++cpu)
    put("cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
        std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4) + "\n");
  ControlGroups where{at("list"), at("root")};
  auto threads = [&](std::vector<unsigned> cpus) { return defaultThreads(cpus, at("cpu"), where); };
  EXPECT_EQ(threads({0, 1, 2, 3, 4, 5, 6, 7}), 4u);
  EXPECT_EQ(threads({0, 4}), 1u); // both of one core
  EXPECT_EQ(threads({0, 1, 4}), 2u);
  EXPECT_EQ(threads({6, 7}), 2u);
  EXPECT_EQ(threads({8, 9}), 2u); // of which nothing is told
  EXPECT_EQ(threads({}), 1u);

  put("list", "0::/job\n"); // version 2
  put("root/job/cpu.max", "250000 100000\n");
  EXPECT_EQ(threads({0, 1, 2, 3, 4, 5, 6, 7}), 3u); // 2.5, rounded up
  EXPECT_EQ(threads({0, 4}), 1u);                   // the mask allows less
  put("root/job/cpu.max", "20000 100000\n");
  EXPECT_EQ(threads({0, 1, 2, 3}), 1u);
  put("root/job/cpu.max", "max 100000\n");
  EXPECT_EQ(threads({0, 1, 2, 3}), 4u);

  put("list", "4:cpu,cpuacct:/job\n"); // version 1
  put("root/cpu/job/cpu.cfs_quota_us", "200000\n");
  put("root/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(threads({0, 1, 2, 3, 4, 5, 6, 7}), 2u);
}

TEST(Machine, KnowsItsCachesAndMemory) {
  CacheSizes caches = cacheSizes();
  EXPECT_GE(caches.l1, 8u << 10);
  EXPECT_LE(caches.l1, 1u << 20);
  EXPECT_GE(caches.l2, caches.l1);
  EXPECT_GE(caches.l3Cores, 1u);
  EXPECT_GT(memoryLimit(), 64ull << 20);
  EXPECT_LE(memoryLimit(), uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE)));
  EXPECT_NE(cpuName(), "");
}

TEST(Memory, IsZeroAndAligned) {
  auto region = Region::reserve(10 << 20, "a test");
  ASSERT_TRUE(region.ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(region->data()) % 4096, 0u);
  EXPECT_EQ(region->data()[(10 << 20) - 1], 0);
  EXPECT_EQ(Region::reserve(0, "nothing")->data(), nullptr);
  auto huge = Region::reserve(~0ull, "everything");
  ASSERT_FALSE(huge.ok());
  EXPECT_EQ(huge.error().code(), ErrorCode::ResourceExhausted);
}

TEST(Memory, IsWrittenForPeople) {
  EXPECT_EQ(humanBytes(0), "0 B");
  EXPECT_EQ(humanBytes(1023), "1023 B");
  EXPECT_EQ(humanBytes(1536), "1.5 KiB");
  EXPECT_EQ(humanBytes(12ull << 30), "12.0 GiB");
  EXPECT_EQ(humanBytes(~0ull), "16.0 EiB");
}
