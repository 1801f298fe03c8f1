// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See variants.h.
#include "runtime/executor/variants.h"

#include "runtime/device/cuda/device.h"
#include "runtime/format/cuda_abi.h"
#include "runtime/format/kernel_abi.h"

#include <algorithm>

namespace ingot::runtime {

// Why a variant cannot run here; empty where it can.
static std::string obstacle(const format::Variant &variant, const CpuFeatures &cpu) {
  if (variant.target()->string_view() == "cuda")
    return "it is for GPUs of compute capability " + cuda::capabilityName(variant.capability()) +
           (variant.name()->string_view().starts_with("compute_") ? " and newer" : "") +
           ", with a driver of CUDA " + cuda::versionName(variant.driver()) + " or newer (--device=cuda)";
  if (variant.target()->string_view() != "cpu")
    return "this runtime has no target " + quoted(variant.target()->string_view());
  if (variant.kernel_abi() < INGOT_KERNEL_ABI_OLDEST || variant.kernel_abi() > INGOT_KERNEL_ABI)
    return "it was made for kernel ABI " + std::to_string(variant.kernel_abi()) + ", this runtime has " +
           std::to_string(INGOT_KERNEL_ABI_OLDEST) + " to " + std::to_string(INGOT_KERNEL_ABI);
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
  return "";
}

// The score on processors of this vendor.
static unsigned scoreOf(const format::Variant &variant, const CpuFeatures &cpu) {
  if (variant.vendors())
    for (const format::VendorScore *entry : *variant.vendors())
      if (entry->vendor()->string_view() == cpu.vendor())
        return entry->score();
  return variant.score();
}

VariantChoice chooseVariant(const format::Head &head, const CpuFeatures &cpu, const std::optional<std::string> &isa) {
  VariantChoice choice;
  const auto &variants = *head.variants();
  const std::vector<std::string_view> chain = isa ? isaChain(*isa, cpu) : std::vector<std::string_view>();
  for (unsigned i = 0; i < variants.size(); ++i) {
    const format::Variant &variant = *variants.Get(i);
    std::string why = obstacle(variant, cpu);
    unsigned score = scoreOf(variant, cpu);
    if (why.empty() && isa) {
      // Nearest to the name first, whatever the scores: who names a set wants its kernels.
      auto at = std::find(chain.begin(), chain.end(), variant.name()->string_view());
      if (at == chain.end())
        why = "restricted by INGOT_ISA=" + *isa;
      else
        score = unsigned(chain.end() - at);
    }
    choice.verdicts.push_back(
        {i, variant.name()->str(), score, why.empty(), variant.partial(), false, "not taken: " + why});
  }
  bool whole = false; // a variant with all kernels was passed
  for (const VariantVerdict *passed : choice.byScore()) {
    if (!passed->runnable)
      continue;
    VariantVerdict &verdict = choice.verdicts[passed->index];
    verdict.taken = !whole;
    if (!choice.taken) {
      choice.taken = verdict.index;
      verdict.reason = "taken";
    } else if (whole) {
      verdict.reason = "not taken: " + choice.verdicts[*choice.taken].name + " is faster";
    } else {
      verdict.reason = "taken for what " + choice.verdicts[*choice.taken].name + " lacks";
    }
    whole |= !verdict.partial;
  }
  return choice;
}

namespace {

// Why a GPU cannot run an image; empty where it can.
std::string cudaObstacle(const format::Variant &variant, unsigned capability, unsigned driver) {
  const bool ptx = variant.name()->string_view().starts_with("compute_");
  if (variant.kernel_abi() != INGOT_CUDA_ABI)
    return "it was made for CUDA kernel ABI " + std::to_string(variant.kernel_abi()) + ", this runtime has " +
           std::to_string(INGOT_CUDA_ABI);
  if (ptx ? capability < variant.capability()
          : capability / 10 != variant.capability() / 10 || capability < variant.capability())
    return "the GPU has compute capability " + cuda::capabilityName(capability) + ", it is for " +
           cuda::capabilityName(variant.capability()) +
           (ptx ? " and newer" : " up to " + cuda::capabilityName(variant.capability() / 10 * 10 + 9));
  if (driver < variant.driver())
    return "it needs a driver of CUDA " + cuda::versionName(variant.driver()) + " or newer, this machine's is of CUDA " +
           cuda::versionName(driver);
  return "";
}

} // namespace

VariantChoice chooseCudaVariant(const format::Head &head, unsigned capability, unsigned driver) {
  VariantChoice choice;
  const auto &variants = *head.variants();
  for (unsigned i = 0; i < variants.size(); ++i) {
    const format::Variant &variant = *variants.Get(i);
    const bool cuda = variant.target()->string_view() == "cuda";
    std::string why =
        cuda ? cudaObstacle(variant, capability, driver) : "it is for CPUs (--device=cpu)";
    // A cubin before PTX; the newest of each.
    const bool ptx = variant.name()->string_view().starts_with("compute_");
    const unsigned score = (ptx ? 0 : 1000) + variant.capability();
    choice.verdicts.push_back({i, variant.name()->str(), cuda ? score : 0, why.empty(), false, false,
                               "not taken: " + why});
  }
  for (const VariantVerdict *passed : choice.byScore()) {
    if (!passed->runnable)
      continue;
    VariantVerdict &verdict = choice.verdicts[passed->index];
    if (choice.taken) {
      verdict.reason = "not taken: " + choice.verdicts[*choice.taken].name + " is nearer";
      continue;
    }
    choice.taken = verdict.index;
    verdict.taken = true;
    verdict.reason = verdict.name.starts_with("compute_")
                         ? "taken: PTX, which the driver compiles at load, as no image fits this GPU"
                         : "taken";
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
