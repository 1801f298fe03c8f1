// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run logits: one full forward pass over ids of a file, into a file. How it is cut (--chunk) and what runs beside
// it (--mix) changes no bit; tests hold us to it.
#include "runtime/core/npy.h"
#include "runtime/serve/forward.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"
#include "tools/ingot-run/tensor_files.h"

#include <algorithm>

namespace ingot::tool {
namespace {

Result<int> run(const LogitsOptions &o) {
  INGOT_ASSIGN_OR_RETURN(std::vector<int32_t> ids, readIds(o.tokens));
  std::vector<int32_t> mixed;
  if (o.mix) {
    INGOT_ASSIGN_OR_RETURN(mixed, readIds(*o.mix));
    if (mixed.empty())
      return makeError(ErrorCode::InvalidArgument, "%s has no ids; give at least one", o.mix->c_str());
  }
  if (ids.empty())
    return makeError(ErrorCode::InvalidArgument, "%s has no ids; give at least one", o.tokens.c_str());

  serve::LoadOptions load;
  load.sequences = o.mix ? 2 : 1;
  load.chunk = o.run.chunk ? o.run.chunk : int64_t(std::max(ids.size(), mixed.size()));
  // No step is larger than the ids there are; too long a sequence is refused by name below.
  int64_t piece = std::min(load.chunk, int64_t(std::max(ids.size(), mixed.size())));
  load.step_tokens = piece * load.sequences;
  load.logit_rows = piece;
  load.givesSources = true;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(model->runner(), o.run));

  serve::Source source;
  if (o.source) {
    INGOT_ASSIGN_OR_RETURN(source, readSource(*model, *o.source));
  }

  uint64_t shape[] = {ids.size(), uint64_t(model->info().vocabulary)};
  std::unique_ptr<runtime::NpyWriter> file;
  INGOT_RETURN_IF_ERROR(serve::forward(
      model->runner(), ids, {load.chunk, mixed, o.source ? &source : nullptr}, [&](int64_t, int64_t rows, const float *values) -> Result<void> {
        if (interrupted())
          return makeError(ErrorCode::Io, "interrupted; %s was not written", o.output.c_str());
        if (!file) {
          INGOT_ASSIGN_OR_RETURN(file, runtime::NpyWriter::create(o.output, "f4", shape));
        }
        return file->append(std::span(values, size_t(rows * model->info().vocabulary)));
      }));
  INGOT_RETURN_IF_ERROR(file->finish());
  INGOT_RETURN_IF_ERROR(profile->finish());
  return 0;
}

} // namespace

int logits(const LogitsOptions &options) {
  Result<int> status = run(options);
  return status ? *status : interrupted() ? kInterrupted : report(status.error());
}

} // namespace ingot::tool
