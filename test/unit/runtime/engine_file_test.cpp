// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening engine files, above all damaged ones: every bit of every section, every length, every index.
#include "runtime/core/checksum.h"
#include "runtime/executor/engine_file.h"
#include "test/unit/runtime/test_engine.h"

#include <cstring>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ingot;
using namespace ingot::runtime;
using format::FileHeader;
using format::Section;
using format::SectionEntry;
using ingot::test::Bytes;
using ingot::test::TestEngine;

namespace {

// The error of opening these bytes, without the path in front.
std::string openError(const Bytes &bytes, ErrorCode code = ErrorCode::Corrupt) {
  std::string path = test::write(bytes);
  auto engine = EngineFile::open(path);
  if (engine.ok())
    return "(it opened)";
  EXPECT_EQ(errorCodeName(engine.error().code()), errorCodeName(code)) << engine.error().message();
  EXPECT_EQ(engine.error().message().substr(0, path.size() + 2), path + ": ");
  return engine.error().message().substr(path.size() + 2);
}

std::string bent(const std::function<void(TestEngine &)> &bend, ErrorCode code = ErrorCode::Corrupt) {
  TestEngine engine;
  bend(engine);
  std::string message = openError(engine.build(), code);
  const std::string advice = "; copy or compile the engine again";
  if (message.ends_with(advice))
    message.resize(message.size() - advice.size());
  return message;
}

const SectionEntry *tableOf(const Bytes &file) {
  return reinterpret_cast<const SectionEntry *>(file.data() + sizeof(FileHeader));
}

} // namespace

TEST(EngineFile, OpensAWholeEngine) {
  auto engine = EngineFile::open(test::write(TestEngine().build()));
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  EXPECT_EQ((*engine)->head().model()->string_view(), "test");
  EXPECT_EQ((*engine)->plan().entries()->size(), 2u);
  EXPECT_EQ((*engine)->chat(), "{{ messages }}");
  EXPECT_EQ((*engine)->report(), "{\"tensors\": []}");
  EXPECT_EQ((*engine)->tokenizer().size(), 26u);
  int32_t value;
  std::memcpy(&value, (*engine)->weight(1) + 8, 4);
  EXPECT_EQ(value, 102);
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*engine)->weight(0)) % 4096, 0u);
  EXPECT_TRUE((*engine)->checkWeights().ok());
  (*engine)->prefetchWeights();
}

TEST(EngineFile, OpensWithoutTheOptionalSections) {
  TestEngine test;
  for (Section section : {Section::Tokenizer, Section::Chat, Section::Report})
    test.sections.erase(section);
  auto engine = EngineFile::open(test::write(test.build()));
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  EXPECT_TRUE((*engine)->tokenizer().empty());
  EXPECT_EQ((*engine)->chat(), "");
}

TEST(EngineFile, HeadAloneTellsWhatRuns) {
  Bytes file = TestEngine().build();
  std::string path = test::write(file);
  auto head = EngineHead::open(path);
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->fileBytes(), file.size());
  EXPECT_LT(head->bytesRead(), format::kHeadLimit);
  EXPECT_EQ(head->sections()[Section::Weights].size, 80u);
  auto choice = head->choice();
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->taken, 1u);

  // Damage beyond the head is none of its business, damage in it is.
  file[tableOf(file)[1].offset] ^= 1;
  EXPECT_TRUE(EngineHead::open(test::write(file)).ok());
  file[tableOf(file)[0].offset + 20] ^= 1;
  EXPECT_FALSE(EngineHead::open(test::write(file)).ok());
}

TEST(EngineFile, ExplainsTheChoice) {
  auto head = EngineHead::open(test::write(TestEngine().build()));
  ASSERT_TRUE(head.ok());
  auto explain = [&](std::set<std::string, std::less<>> features, std::optional<std::string> isa = {}) {
    return chooseVariant(head->head(), CpuFeatures(std::move(features)), isa).explain();
  };
  EXPECT_EQ(explain({}), "future: not taken: the CPU lacks avx2\nbase: taken\n");
  EXPECT_EQ(explain({"avx2"}),
            "future: not taken: this runtime does not know how to look for 'telepathy'\nbase: taken\n");
  EXPECT_EQ(explain({"avx2", "telepathy"}), "future: taken\nbase: not taken: future is faster\n");
  EXPECT_EQ(explain({"avx2", "tele_pathy"}, "base"), "future: not taken: restricted by INGOT_ISA=base\nbase: taken\n");
  EXPECT_EQ(explain({}, "future"),
            "future: not taken: the CPU lacks avx2\nbase: not taken: restricted by INGOT_ISA=future\n");

  TestEngine cuda;
  cuda.head.variants[0]->target = "cuda";
  head = EngineHead::open(test::write(cuda.build()));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(explain({"avx2"}), "future: not taken: it is for GPUs of compute capability 0.0, with a driver of CUDA 0.0 or newer "
            "(--device=cuda)\nbase: taken\n");
  cuda.head.variants[0]->target = "tpu";
  head = EngineHead::open(test::write(cuda.build()));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(explain({"avx2"}), "future: not taken: this runtime has no target 'tpu'\nbase: taken\n");
}

// Any flipped bit, wherever it is, is found: header, table, sections and the zeros between them.
TEST(EngineFile, FindsEveryFlippedBit) {
  const Bytes good = TestEngine().build();
  std::string path = test::write(good, "flipped.ingot");
  int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  std::vector<std::pair<uint64_t, uint64_t>> ranges; // all of the small sections, samples of the long zeros
  for (uint64_t at = 0; at < good.size(); at += good[at] == 0 && at % 4096 > 1024 ? 97 : 1)
    ranges.push_back({at, 0});
  for (auto [at, unused] : ranges) {
    uint8_t flipped = good[at] ^ uint8_t(1u << (at % 8));
    ASSERT_EQ(pwrite(fd, &flipped, 1, off_t(at)), 1);
    auto engine = EngineFile::open(path);
    ASSERT_FALSE(engine.ok()) << "bit " << at % 8 << " of byte " << at << " was flipped, and nobody noticed";
    ASSERT_NE(engine.error().message(), "");
    ASSERT_EQ(pwrite(fd, &good[at], 1, off_t(at)), 1);
  }
  ::close(fd);
  EXPECT_TRUE(EngineFile::open(path).ok());
}

TEST(EngineFile, FindsEveryTruncation) {
  const Bytes good = TestEngine().build();
  std::string path = test::write(good, "truncated.ingot");
  for (uint64_t length = good.size() - 1;; length = length > 1500 ? length - 331 : length - 1) {
    ASSERT_EQ(truncate(path.c_str(), off_t(length)), 0);
    auto engine = EngineFile::open(path);
    ASSERT_FALSE(engine.ok()) << length;
    ASSERT_EQ(engine.error().code(), ErrorCode::Corrupt);
    ASSERT_FALSE(EngineHead::open(path).ok()) << length;
    if (length == 0)
      break;
  }
  EXPECT_EQ(openError(Bytes(good.begin(), good.end() - 100)),
            "is truncated: " + std::to_string(good.size() - 100) + " bytes, its header says " +
                std::to_string(good.size()) + "; copy or compile the engine again");
  EXPECT_EQ(openError(Bytes(good.begin(), good.begin() + 20)),
            "is truncated: 20 bytes, the header alone has 64; copy or compile the engine again");
  EXPECT_EQ(openError({}), "is empty, expected an Ingot engine; compile it again");
}

TEST(EngineFile, NamesTheDamagedSection) {
  const Bytes good = TestEngine().build();
  static constexpr const char *kNames[] = {"HEAD", "PLAN", "CODE", "TOKENIZER", "CHAT", "REPORT", "WEIGHTS"};
  for (unsigned i = 0; i < 7; ++i) {
    Bytes file = good;
    file[tableOf(file)[i].offset + 3] ^= 0x10;
    std::string message = openError(file);
    EXPECT_EQ(message.substr(0, message.find(", expected")).substr(0, std::strlen(kNames[i]) + 19),
              std::string(kNames[i]) + ": damaged: checksum");
  }
}

TEST(EngineFile, RefusesWhatIsNoEngine) {
  Bytes text(5000, 'x');
  EXPECT_EQ(openError(text), "is not an Ingot engine (its first bytes are not INGOT); make one with `ingot compile`");
  EXPECT_EQ(openError(Bytes(3, 'x')),
            "is not an Ingot engine (its first bytes are not INGOT); make one with `ingot compile`");
  // Line ends changed by a transfer in text mode.
  Bytes file = TestEngine().build();
  file.erase(file.begin() + 5);
  EXPECT_EQ(openError(file), "is not an Ingot engine (its first bytes are not INGOT); make one with `ingot compile`");
}

TEST(EngineFile, RefusesANewerVersion) {
  EXPECT_EQ(bent([](TestEngine &engine) { engine.bend = [](auto &header, auto &) { header.version = 7; }; },
                 ErrorCode::Unsupported),
            "made by a newer Ingot: format 7, this runtime reads up to 1; use a newer ingot-run or compile the engine "
            "again");
  EXPECT_EQ(bent([](TestEngine &engine) { engine.bend = [](auto &header, auto &) { header.version = 0; }; }),
            "header: format version 0 does not exist");
}

TEST(EngineFile, RefusesWhatCannotBeRead) {
  auto error = [](const std::string &path) {
    auto engine = EngineFile::open(path);
    return engine.ok() ? "(it opened)" : engine.error().message();
  };
  std::string path = test::scratchPath("absent.ingot");
  EXPECT_EQ(error(path), path + ": cannot open: No such file or directory: check the path");
  EXPECT_EQ(error("/"), "/: is a directory, expected a file");
  EXPECT_EQ(error("/dev/null"), "/dev/null: is not a regular file; pipes and devices cannot be mapped");
  path = test::scratchPath("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error(path), path + ": is not a regular file; pipes and devices cannot be mapped");
  path = test::write(TestEngine().build(), "private.ingot");
  chmod(path.c_str(), 0);
  bool root = geteuid() == 0; // root reads every file, so be somebody else
  ASSERT_TRUE(!root || seteuid(65534) == 0);
  std::string message = error(path);
  ASSERT_TRUE(!root || seteuid(0) == 0);
  EXPECT_EQ(message, path + ": cannot open: Permission denied: check the permissions of the file and of its folders");
}

TEST(EngineFile, ChecksTheTable) {
  using Table = std::vector<SectionEntry>;
  auto table = [](const std::function<void(FileHeader &, Table &)> &bend) {
    return bent([&](TestEngine &engine) { engine.bend = bend; });
  };
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[3].kind = 99; }), "section table: a section of unknown kind 99");
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[3].kind = 3; }), "section table: two sections CODE");
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[0].reserved = 1; }),
            "section table: HEAD: a reserved field is not zero");
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[2].offset += 64; }).substr(0, 36),
            "section table: CODE starts at byte 4");
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[1].offset += 8; }).substr(0, 29), "section table: PLAN starts at");
  EXPECT_NE(table([](FileHeader &, Table &t) { t[6].size = ~0ull; }).find("do not lie between"), std::string::npos);
  EXPECT_NE(table([](FileHeader &, Table &t) { t[6].offset = 1ull << 63; }).find("do not lie between"),
            std::string::npos);
  EXPECT_NE(table([](FileHeader &, Table &t) { t[0].offset = 64; }).find("do not lie between"), std::string::npos);
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[1].size += 4096; }), "section table: sections PLAN and CODE overlap");
  EXPECT_EQ(table([](FileHeader &h, Table &t) { t.pop_back(), h.section_count = 6; }),
            "section table: section WEIGHTS is missing");
  EXPECT_EQ(table([](FileHeader &, Table &t) { t[5].size -= 2; }).substr(0, 19), "REPORT: damaged: ch");
  EXPECT_EQ(table([](FileHeader &h, Table &) { h.section_count = 0; }), "header: 0 sections, expected 1 to 64");
  EXPECT_EQ(table([](FileHeader &h, Table &) { h.section_count = ~0u; }),
            "header: 4294967295 sections, expected 1 to 64");
  EXPECT_EQ(table([](FileHeader &h, Table &) { h.reserved[2] = 1; }), "header: a reserved field is not zero");
  EXPECT_EQ(table([](FileHeader &h, Table &) { h.section_count = 6; }).substr(0, 24), "section table: checksum ");
  EXPECT_NE(table([](FileHeader &h, Table &) { h.file_bytes -= 1; }).find("bytes, the header says"), std::string::npos);
}

TEST(EngineFile, RefusesBytesOfNoSection) {
  TestEngine engine;
  Bytes file = engine.build();
  file.resize(file.size() + 5000);
  auto *header = reinterpret_cast<FileHeader *>(file.data());
  header->file_bytes = file.size();
  EXPECT_EQ(openError(file).substr(0, 47), "after the last section: 5000 bytes belong to no");
}

TEST(EngineFile, RefusesAHeadThatIsTooLong) {
  EXPECT_NE(bent([](TestEngine &engine) { engine.head.producer = std::string(70000, 'x'); }).find("HEAD ends at byte"),
            std::string::npos);
}

TEST(EngineFile, ChecksTheHead) {
  EXPECT_EQ(bent([](TestEngine &e) { e.sections[Section::Head] = Bytes(100, 0xff); }),
            "HEAD: its FlatBuffer is malformed");
  EXPECT_EQ(bent([](TestEngine &e) { e.sections[Section::Head] = {}; }), "HEAD: its FlatBuffer is malformed");
  EXPECT_EQ(bent([](TestEngine &e) { e.head.variants.clear(); }), "HEAD: 0 variants, expected 1 to 64");
  EXPECT_EQ(bent([](TestEngine &e) { e.head.variants[1]->name = "future"; }), "HEAD: two variants 'future'");
  EXPECT_EQ(bent([](TestEngine &e) { e.head.variants[0]->features.resize(65); }),
            "HEAD: variant 'future': 65 features, expected at most 64");
  EXPECT_EQ(bent([](TestEngine &e) { e.head.variants[0]->code_offset = 64; }),
            "HEAD: variant 'future': its code starts at byte 64 of CODE, expected a multiple of 4096");
  EXPECT_NE(bent([](TestEngine &e) { e.head.variants[1]->code_offset = 1ull << 40; }).find("HEAD: variant 'base': "),
            std::string::npos);
  EXPECT_NE(bent([](TestEngine &e) { e.head.variants[1]->code_size += 1; }).find("HEAD: variant 'base': "),
            std::string::npos);
  EXPECT_NE(bent([](TestEngine &e) { e.head.variants[1]->code_size = 0; }).find("HEAD: variant 'base': 0 bytes"),
            std::string::npos);
  EXPECT_EQ(bent([](TestEngine &e) { e.head.arena_symbols.pop_back(); }), "HEAD: 1 names of arenas but 2 sizes");
  EXPECT_EQ(bent([](TestEngine &e) { e.head.arena_bytes[1] = ~0ull; }),
            "HEAD: an arena of 18446744073709551615 bytes per unit, expected at most 17592186044416");
}

TEST(EngineFile, ChecksThePlan) {
  auto &bad = bent;
  EXPECT_EQ(bad([](TestEngine &e) { e.sections[Section::Plan] = Bytes(64, 0x7f); }, ErrorCode::Corrupt),
            "PLAN: its FlatBuffer is malformed");
  struct Case {
    const char *expected;
    std::function<void(format::PlanT &)> bend;
  } cases[] = {
      {"2 symbols but 1 arena sizes", [](auto &p) { p.arena_bytes.pop_back(); }},
      {"symbol 1: the name 'tokens' is empty or comes twice", [](auto &p) { p.symbols[1]->name = "tokens"; }},
      {"symbol 0: the name '' is empty or comes twice", [](auto &p) { p.symbols[0]->name = ""; }},
      {"symbol 'sequences': its expression has symbol 1, expected one before it",
       [](auto &p) { p.symbols[1]->steps = {{format::SymbolStepKind::symbol, 1}}; }},
      {"symbol 'sequences': its expression has the number -1, expected none below 0",
       [](auto &p) { p.symbols[1]->steps = {{format::SymbolStepKind::constant, -1}}; }},
      {"symbol 'sequences': its expression has a step of unknown kind 10",
       [](auto &p) { p.symbols[1]->steps = {{format::SymbolStepKind(10), 0}}; }},
      {"symbol 'sequences': its expression does not give one value",
       [](auto &p) { p.symbols[1]->steps = {{format::SymbolStepKind::symbol, 0}, {format::SymbolStepKind::add, 0}}; }},
      {"symbol 'sequences': its expression does not give one value",
       [](auto &p) { p.symbols[1]->steps.assign(2, {format::SymbolStepKind::symbol, 0}); }},
      {"symbol 'sequences': an expression of 1025 steps, expected at most 1024",
       [](auto &p) { p.symbols[1]->steps.assign(1025, {format::SymbolStepKind::symbol, 0}); }},
      {"symbol 'tokens': an arena of 17592186044417 bytes per unit, expected at most 17592186044416",
       [](auto &p) { p.arena_bytes[0] = (1ull << 44) + 1; }},
      {"an arena of 18446744073709551615 bytes, expected at most 17592186044416",
       [](auto &p) { p.arena_bytes_constant = ~0ull; }},
      {"its arenas are not those that HEAD states", [](auto &p) { p.arena_bytes[0] += 64; }},
      {"its arenas are not those that HEAD states", [](auto &p) { p.symbols[0]->name = "rows"; }},
      {"kernel 'fail': 1073741825 bytes of scratch memory, expected at most 1073741824",
       [](auto &p) { p.kernels[3]->scratch_bytes = (1 << 30) + 1; }},
      {"kernel 'fail': 1 functions, HEAD has 2 variants", [](auto &p) { p.kernels[3]->functions.pop_back(); }},
      {"kernel 'fail': no variant has it",
       [](auto &p) {
         p.kernels[3]->functions = {~0u, ~0u};
       }},
      {"weight 'weight.1': unknown element type 200", [](auto &p) { p.weights[1]->type = format::ElementType(200); }},
      {"weight 'weight.1': starts at byte 65 of WEIGHTS, expected a multiple of 64",
       [](auto &p) { p.weights[1]->offset = 65; }},
      {"weight 'weight.1': 16 bytes at byte 128 of WEIGHTS, which has 80", [](auto &p) { p.weights[1]->offset = 128; }},
      {"weight 'weight.1': 17 bytes at byte 64 of WEIGHTS, which has 80", [](auto &p) { p.weights[1]->size = 17; }},
      {"weight 'weight.1': 18446744073709551615 bytes at byte 64 of WEIGHTS, which has 80",
       [](auto &p) { p.weights[1]->size = ~0ull; }},
      {"weight 'weight.0': 16 bytes are too few for its shape", [](auto &p) { p.weights[0]->shape = {5}; }},
      {"weight 'weight.0': 16 bytes are too few for its shape",
       [](auto &p) {
         p.weights[0]->shape = {1ull << 32, 1ull << 32};
       }},
      {"weight 'weight.0': 17 dimensions, expected at most 16", [](auto &p) { p.weights[0]->shape.assign(17, 1); }},
      {"cache group 'kv': 0 layers, expected 1 to 65536", [](auto &p) { p.cache_groups[0]->layers = 0; }},
      {"cache group 'kv': pages of 0 tokens, expected 1 to 65536", [](auto &p) { p.cache_groups[0]->page_tokens = 0; }},
      {"cache group 'kv': unknown retention 9", [](auto &p) { p.cache_groups[0]->retention = format::Retention(9); }},
      {"cache group 'kv': keeps a window of 0 tokens",
       [](auto &p) { p.cache_groups[0]->retention = format::Retention::window; }},
      {"cache group 'kv': 0 planes, expected 1 to 64", [](auto &p) { p.cache_groups[0]->planes.clear(); }},
      {"cache group 'kv', plane 'key': pages of 0 bytes, expected 1 to 1099511627776",
       [](auto &p) { p.cache_groups[0]->planes[0]->page_bytes = 0; }},
      {"cache group 'kv', plane 'value': unknown element type 13",
       [](auto &p) { p.cache_groups[0]->planes[1]->type = format::ElementType(13); }},
      {"two cache groups 'kv'",
       [](auto &p) { p.cache_groups.push_back(std::make_unique<format::CacheGroupT>(*p.cache_groups[0])); }},
      {"two entries 'step'", [](auto &p) { p.entries[1]->name = "step"; }},
      {"entry 'step', input 'in' comes twice", [](auto &p) { p.entries[0]->inputs[1]->name = "in"; }},
      {"entry 'step', input 'in': unknown element type 77",
       [](auto &p) { p.entries[0]->inputs[0]->type = format::ElementType(77); }},
      {"entry 'step', output 'sums': a size has a negative part",
       [](auto &p) { p.entries[0]->outputs[0]->shape[0]->constant = -1; }},
      {"entry 'step', output 'sums': 3 coefficients, the plan has 2 symbols",
       [](auto &p) {
         p.entries[0]->outputs[0]->shape[0]->coefficients = {0, 0, 0};
       }},
      {"entry 'step', buffer 0: names input 2, there are 2", [](auto &p) { p.entries[0]->buffers[0]->index = 2; }},
      {"entry 'step', buffer 2: names output 1, there are 1", [](auto &p) { p.entries[0]->buffers[2]->index = 1; }},
      {"entry 'step', buffer 3: names weight 2, there are 2", [](auto &p) { p.entries[0]->buffers[3]->index = 2; }},
      {"entry 'step', buffer 5: names the arena of symbol 2, there are 2",
       [](auto &p) { p.entries[0]->buffers[5]->symbol = 2; }},
      {"entry 'step', buffer 5: names the arena of symbol -2, there are 2",
       [](auto &p) { p.entries[0]->buffers[5]->symbol = -2; }},
      {"entry 'step', buffer 5: starts at byte 63 of its arena, expected a multiple of 64",
       [](auto &p) { p.entries[0]->buffers[5]->offset = 63; }},
      {"entry 'step', buffer 6: 65 bytes at byte 128 of an arena of 192",
       [](auto &p) { p.entries[0]->buffers[6]->size = 65; }},
      {"entry 'step', buffer 6: 64 bytes at byte 18446744073709551552 of an arena of 192",
       [](auto &p) { p.entries[0]->buffers[6]->offset = 0 - 64ull; }},
      {"entry 'failing', buffer 1: 65 bytes at byte 0 of an arena of 64",
       [](auto &p) { p.entries[1]->buffers[1]->size = 65; }},
      {"entry 'step', buffer 7: names cache group 1, there are 1",
       [](auto &p) { p.entries[0]->buffers[7]->index = 1; }},
      {"entry 'step', buffer 7: names layer 2, there are 2", [](auto &p) { p.entries[0]->buffers[7]->layer = 2; }},
      {"entry 'step', buffer 7: names plane 2, there are 2", [](auto &p) { p.entries[0]->buffers[7]->plane = 2; }},
      {"entry 'step', buffer 7: unknown kind 5",
       [](auto &p) { p.entries[0]->buffers[7]->kind = format::BufferKind(5); }},
      {"entry 'step', launch 1: names kernel 4, there are 4", [](auto &p) { p.entries[0]->launches[1]->kernel = 4; }},
      {"entry 'step', launch 1: names buffer 11, there are 11",
       [](auto &p) { p.entries[0]->launches[1]->buffers[0] = 11; }},
      {"entry 'step', launch 1: 257 operands, expected at most 256",
       [](auto &p) { p.entries[0]->launches[1]->buffers.assign(257, 0); }},
      {"entry 'step', launch 2: 3 coefficients, the plan has 2 symbols",
       [](auto &p) { p.entries[0]->launches[2]->tiles->coefficients = {-1, 0, 0}; }},
      {"a default of generation is negative or not a number",
       [](auto &p) { p.generation->temperature = __builtin_nanf(""); }},
      {"a default of generation is negative or not a number", [](auto &p) { p.generation->top_k = -1; }},
  };
  for (const Case &test : cases)
    EXPECT_EQ(bad([&](TestEngine &e) { test.bend(e.plan); }, ErrorCode::Corrupt),
              std::string("PLAN: ") + test.expected);

  // A function's place is checked against its own variant's code.
  std::string message = bad([](TestEngine &e) { e.plan.kernels[3]->functions[1] = 4096; }, ErrorCode::Corrupt);
  EXPECT_EQ(message.substr(0, 76), "PLAN: kernel 'fail': its function starts at byte 4096 of the code of variant");
}

// Names that come out of the file are made harmless for a terminal.
TEST(EngineFile, EscapesNames) {
  EXPECT_EQ(bent([](TestEngine &e) {
              e.plan.kernels[3]->name = "a\x1b[2J\xff" + std::string(200, 'b');
              e.plan.kernels[3]->functions = {};
            }),
            "PLAN: kernel 'a\\x1b[2J\\xff" + std::string(114, 'b') + "...': 0 functions, HEAD has 2 variants");
}

// A file of over 256 MB: its weights are not read at load, but are when asked.
TEST(EngineFile, LeavesLargeWeightsUnread) {
  TestEngine engine;
  engine.bend = [](FileHeader &header, std::vector<SectionEntry> &table) {
    table[6].size = 300ull << 20;
    header.file_bytes = table[6].offset + table[6].size;
    table[6].checksum = 1; // wrong
  };
  Bytes bytes = engine.build();
  std::string path = test::write(bytes, "large.ingot");
  uint64_t size = reinterpret_cast<const FileHeader *>(bytes.data())->file_bytes;
  ASSERT_EQ(truncate(path.c_str(), off_t(size)), 0); // sparse
  auto opened = EngineFile::open(path);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  auto checked = (*opened)->checkWeights();
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.error().message().find(": WEIGHTS: damaged: checksum "), std::string::npos);
  EXPECT_FALSE(EngineFile::open(path, {true}).ok());
  // One byte less than the limit is read.
  engine.bend = [](FileHeader &header, std::vector<SectionEntry> &table) {
    table[6].size = format::kWeightsCheckedAtLoad - 1;
    header.file_bytes = table[6].offset + table[6].size;
  };
  bytes = engine.build();
  path = test::write(bytes, "large.ingot");
  size = reinterpret_cast<const FileHeader *>(bytes.data())->file_bytes;
  ASSERT_EQ(truncate(path.c_str(), off_t(size)), 0);
  EXPECT_FALSE(EngineFile::open(path).ok());
}
