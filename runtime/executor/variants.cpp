// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See variants.h.
#include "runtime/executor/variants.h"

#include "runtime/format/kernel_abi.h"

#include <algorithm>

namespace ingot::runtime {

// Why a variant cannot run here; empty where it can.
static std::string obstacle(const format::Variant &variant, const CpuFeatures &cpu,
                            const std::optional<std::string> &isa) {
  if (variant.target()->string_view() != "cpu")
    return "this runtime has no target " + quoted(variant.target()->string_view());
  if (variant.kernel_abi() != INGOT_KERNEL_ABI)
    return "it was made for kernel ABI " + std::to_string(variant.kernel_abi()) + ", this runtime has " +
           std::to_string(INGOT_KERNEL_ABI);
  std::string lacking, unknown;
  for (const flatbuffers::String *feature : *variant.features()) {
    if (cpu.has(feature->string_view()))
      continue;
    std::string &list = CpuFeatures::known(feature->string_view()) ? lacking : unknown;
    list += (list.empty() ? "" : ", ") + std::string(feature->string_view());
  }
  if (!lacking.empty())
    return "the CPU lacks " + lacking;
  if (!unknown.empty())
    return "this runtime does not know how to look for " + quoted(unknown);
  if (isa && variant.name()->string_view() != *isa)
    return "restricted by INGOT_ISA=" + *isa;
  return "";
}

VariantChoice chooseVariant(const format::Head &head, const CpuFeatures &cpu, const std::optional<std::string> &isa) {
  VariantChoice choice;
  const auto &variants = *head.variants();
  for (unsigned i = 0; i < variants.size(); ++i) {
    const format::Variant &variant = *variants.Get(i);
    std::string why = obstacle(variant, cpu, isa);
    VariantVerdict verdict{i, variant.name()->str(), variant.score(), why.empty(), false, "not taken: " + why};
    if (verdict.runnable && (!choice.taken || verdict.score > choice.verdicts[*choice.taken].score))
      choice.taken = i;
    choice.verdicts.push_back(std::move(verdict));
  }
  for (VariantVerdict &verdict : choice.verdicts) {
    if (!verdict.runnable)
      continue;
    verdict.taken = verdict.index == *choice.taken;
    verdict.reason = verdict.taken ? "taken" : "not taken: " + choice.verdicts[*choice.taken].name + " is faster";
  }
  return choice;
}

std::vector<const VariantVerdict *> VariantChoice::byScore() const {
  std::vector<const VariantVerdict *> order;
  for (const VariantVerdict &verdict : verdicts)
    order.push_back(&verdict);
  std::sort(order.begin(), order.end(),
            [](auto *a, auto *b) { return a->score != b->score ? a->score > b->score : a->index < b->index; });
  return order;
}

std::string VariantChoice::explain() const {
  std::string text;
  for (const VariantVerdict *verdict : byScore())
    text += verdict->name + ": " + verdict->reason + "\n";
  return text;
}

} // namespace ingot::runtime
