// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See native_kernels.h. One function per template fills its struct from parameters by name and calls it.
#include "test/unit/target/native_kernels.h"
#include "compiler/target/cpu/kernels/scratch.h"
#include "test/unit/target/software_tiles.h"
#include <cstdio>
#include <cstdlib>

#define DECLARE(name, list)                                                                                            \
  extern "C" int32_t ingot_##name(const name##_params *p, const ingot_env *env, void *const *buffers,                  \
                                  const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch);
INGOT_TEMPLATES(DECLARE)

namespace ingot::test {
namespace {

#define FIELD_I(field) p.field = static_cast<int32_t>(parameters.at(#field));
#define FIELD_F(field) p.field = static_cast<float>(parameters.at(#field));
#define PARAMS(name, list)                                                                                             \
  name##_params make_##name(const Parameters &parameters) {                                                            \
    name##_params p;                                                                                                   \
    list(FIELD_I, FIELD_F) return p;                                                                                   \
  }
INGOT_TEMPLATES(PARAMS)

} // namespace

bool isNativeTemplate(const std::string &name) {
#define IS(template_name, list)                                                                                        \
  if (name == #template_name)                                                                                          \
    return true;
  INGOT_TEMPLATES(IS)
  return false;
}

void completeParameters(const std::string &name, Parameters &parameters) {
#define COMPLETE_FIELD(field) parameters.emplace(#field, 0.0);
#define COMPLETE(template_name, list)                                                                                  \
  if (name == #template_name) {                                                                                        \
    list(COMPLETE_FIELD, COMPLETE_FIELD)                                                                               \
  }
  INGOT_TEMPLATES(COMPLETE)
}

uint64_t nativeScratch(const std::string &name, const Parameters &parameters) {
#define SCRATCH(template_name, list)                                                                                   \
  if (name == #template_name)                                                                                          \
    return static_cast<uint64_t>(kernels::scratchBytes(make_##template_name(parameters)));
  INGOT_TEMPLATES(SCRATCH)
  return 0;
}

int32_t callNative(const std::string &name, const Parameters &parameters, const ingot_env *env, void *const *buffers,
                   const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch) {
  int32_t status = -1;
#define CALL(template_name, list)                                                                                      \
  if (name == #template_name) {                                                                                        \
    const template_name##_params p = make_##template_name(parameters);                                                 \
    status = ingot_##template_name(&p, env, buffers, symbols, tile0, tile1, scratch);                                  \
  }
  INGOT_TEMPLATES(CALL)
  if (tilesInUse()) {
    std::fprintf(stderr, "kernel template %s leaves tiles configured\n", name.c_str());
    std::abort();
  }
  return status;
}

} // namespace ingot::test
