// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Merging and reading locations (see Locations.h).
#include "passes/Locations.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

static void collect(Location location, llvm::SetVector<Location, SmallVector<Location>> &leaves) {
  if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collect(part, leaves);
    return;
  }
  if (!isa<UnknownLoc>(location))
    leaves.insert(location);
}

Location fuseLocations(ArrayRef<Operation *> ops) {
  llvm::SetVector<Location, SmallVector<Location>> leaves;
  for (Operation *op : ops)
    if (op)
      collect(op->getLoc(), leaves);
  return FusedLoc::get(ops.front()->getContext(), leaves.getArrayRef());
}

std::string nodeName(Location location) {
  llvm::SetVector<Location, SmallVector<Location>> leaves;
  collect(location, leaves);
  llvm::SetVector<StringRef> all;
  for (Location leaf : leaves)
    if (auto named = dyn_cast<NameLoc>(leaf))
      all.insert(named.getName().getValue());
  // A node around others, as the layer in which a sum stands, adds nothing to the names within it.
  SmallVector<StringRef> names;
  for (StringRef name : all)
    if (llvm::none_of(all, [&](StringRef other) { return other.starts_with((name + ".").str()); }))
      names.push_back(name);
  if (names.empty())
    return "";
  if (names.size() == 1)
    return names.front().str();

  // What all names share, up to a dot, is said once.
  StringRef prefix = names.front();
  for (StringRef name : names)
    while (!name.starts_with(prefix))
      prefix = prefix.drop_back();
  prefix = prefix.take_front(prefix.rfind('.') + 1); // npos + 1 == 0
  SmallVector<StringRef> rest;
  for (StringRef name : names)
    rest.push_back(name.drop_front(prefix.size()));
  return prefix.empty() ? llvm::join(rest, ",") : (prefix + "{" + llvm::join(rest, ",") + "}").str();
}

} // namespace ingot::passes
