// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run materialize: an engine whose weights are drawn at load becomes one that holds them, as large as the real model's. The
// weights section ends the file; everything before it stays as it is. They are drawn twice, first for their checksum.
#include "runtime/core/checksum.h"
#include "runtime/core/file.h"
#include "runtime/core/machine.h"
#include "runtime/executor/weights.h"
#include "tools/ingot-run/common.h"

#include <algorithm>
#include <cstring>

namespace ingot::tool {
namespace {

constexpr uint64_t kPiece = 64 << 20;

std::span<const uint8_t> bytesOf(const auto &object) {
  return {reinterpret_cast<const uint8_t *>(&object), sizeof(object)};
}

Result<int> run(const MaterializeOptions &o) {
  INGOT_ASSIGN_OR_RETURN(auto engine, runtime::EngineFile::open(o.engine));
  const runtime::WeightSource weights(*engine);
  if (!weights.drawn())
    return makeError(ErrorCode::InvalidArgument, "%s holds its weights already; copy the file", o.engine.c_str());

  // The sections in the order of the file.
  std::vector<format::SectionEntry> table;
  for (const format::SectionEntry &entry : engine->sections().entries)
    if (entry.kind != 0)
      table.push_back(entry);
  std::sort(table.begin(), table.end(), [](auto &a, auto &b) { return a.offset < b.offset; });
  format::SectionEntry &last = table.back();
  if (format::Section(last.kind) != format::Section::Weights)
    return makeError(ErrorCode::Internal, "%s: its last section is not WEIGHTS", o.engine.c_str());

  const unsigned threads = runtime::defaultThreads();
  std::vector<uint8_t> piece(std::min(kPiece, weights.bytes()));
  // Calls consume(bytes) for all weights, in order.
  Progress progress("drawing weights", int64_t(weights.bytes()) * 2);
  int64_t done = 0;
  auto forAll = [&](auto &&consume) -> Result<void> {
    for (uint64_t at = 0; at < weights.bytes() && !interrupted(); at += piece.size()) {
      std::span<uint8_t> now(piece.data(), std::min<uint64_t>(piece.size(), weights.bytes() - at));
      weights.readPiece(at, now, threads);
      INGOT_RETURN_IF_ERROR(consume(std::span<const uint8_t>(now)));
      progress.update(done += int64_t(now.size()));
    }
    return {};
  };
  runtime::RunningChecksum sum;
  INGOT_RETURN_IF_ERROR(forAll([&](std::span<const uint8_t> bytes) -> Result<void> {
    sum.add(bytes);
    return {};
  }));
  last.size = weights.bytes();
  last.checksum = sum.value();

  // The table as the file had it, by kind.
  std::vector<format::SectionEntry> written;
  std::vector<uint8_t> head(sizeof(format::FileHeader));
  INGOT_RETURN_IF_ERROR(engine->file().readAt(0, head));
  format::FileHeader header;
  std::memcpy(&header, head.data(), sizeof(header));
  std::vector<uint8_t> original(table.size() * sizeof(format::SectionEntry));
  INGOT_RETURN_IF_ERROR(engine->file().readAt(sizeof(header), original));
  written.resize(table.size());
  std::memcpy(written.data(), original.data(), original.size());
  for (format::SectionEntry &entry : written)
    if (entry.kind == last.kind)
      entry = last;
  std::span<const uint8_t> tableBytes(reinterpret_cast<const uint8_t *>(written.data()),
                                      written.size() * sizeof(format::SectionEntry));
  header.file_bytes = last.offset + last.size;
  header.table_checksum = runtime::checksum(tableBytes);

  INGOT_ASSIGN_OR_RETURN(auto file, runtime::AtomicFile::create(o.output));
  INGOT_RETURN_IF_ERROR(file->write(bytesOf(header)));
  INGOT_RETURN_IF_ERROR(file->write(tableBytes));
  std::vector<uint8_t> between(last.offset - sizeof(header) - tableBytes.size());
  INGOT_RETURN_IF_ERROR(engine->file().readAt(sizeof(header) + tableBytes.size(), between));
  INGOT_RETURN_IF_ERROR(file->write(std::span<const uint8_t>(between)));
  INGOT_RETURN_IF_ERROR(forAll([&](std::span<const uint8_t> bytes) { return file->write(bytes); }));
  if (interrupted())
    return makeError(ErrorCode::InvalidArgument, "interrupted; %s was not written", o.output.c_str());
  INGOT_RETURN_IF_ERROR(file->commit());
  return 0;
}

} // namespace

int materialize(const MaterializeOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
