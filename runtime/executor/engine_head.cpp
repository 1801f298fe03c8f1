// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// EngineHead: see engine_file.h.
#include "runtime/executor/engine_file.h"
#include "runtime/executor/verify.h"

namespace ingot::runtime {

Result<EngineHead> EngineHead::open(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(File file, File::open(path));
  EngineHead engine;
  INGOT_ASSIGN_OR_RETURN(engine.table, readSectionTable(file));
  const format::SectionEntry &entry = engine.table[format::Section::Head];
  engine.bytes.resize(entry.size);
  INGOT_RETURN_IF_ERROR(file.readAt(entry.offset, engine.bytes));
  INGOT_RETURN_IF_ERROR(verifyChecksum(path, entry, engine.bytes));
  INGOT_ASSIGN_OR_RETURN(const format::Head *head, verifyHead(path, engine.bytes, engine.table));
  (void)head;
  engine.size = file.size();
  unsigned sections = 0;
  for (const format::SectionEntry &section : engine.table.entries)
    sections += section.kind != 0;
  engine.read = sizeof(format::FileHeader) + sections * sizeof(format::SectionEntry) + entry.size;
  return engine;
}

Result<VariantChoice> EngineHead::choice() const {
  INGOT_ASSIGN_OR_RETURN(auto isa, isaRestriction());
  return chooseVariant(head(), CpuFeatures::host(), isa);
}

} // namespace ingot::runtime
