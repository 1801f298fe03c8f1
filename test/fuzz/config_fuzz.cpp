// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any text as a config.json: either problems are told, or a whole decoder is built. The builder under it refuses
// shapes that do not fit, so that a config cannot make the importer build nonsense.
#include "compiler/import/huggingface/import.h"
#include "compiler/import/huggingface/json.h"
#include "test/unit/import/reference_builder.h"

#include <cmath>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ingot::GraphBuilder builder;
  ingot::huggingface::ImportResult result;
  bool good = ingot::huggingface::importConfigText({reinterpret_cast<const char *>(data), size}, builder, result);
  if (good != result.problems.empty() || (good && !builder.impl->ended))
    std::abort();
  if (good)
    for (const ingot::RopeSpec &rope : builder.impl->ropes)
      for (float frequency : rope.inv_freq)
        if (!std::isfinite(frequency) || frequency < 0)
          std::abort();
  for (const std::string &problem : result.problems)
    if (!ingot::huggingface::isUtf8(problem))
      std::abort();
  return 0;
}
