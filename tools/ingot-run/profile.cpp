// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See profile.h. Bytes and operations are those that the plan states for each launch; attention's follow from the
// positions that each step really had.
#include "tools/ingot-run/profile.h"

#include "tools/ingot-run/ceilings.h"
#include "tools/ingot-run/common.h"

#include <algorithm>
#include <cstdio>

namespace ingot::tool {
namespace {

// What bounds a kernel's arithmetic: the machine's best products of its operands' type.
const Rate &ceilingOf(std::string_view kernel, const Ceilings &ceilings) {
  if (kernel.starts_with("linear_int-"))
    return ceilings.int8;
  bool bf16 = kernel.starts_with("linear-") && kernel.find("-in_bf16-weight_bf16-") != kernel.npos;
  return bf16 ? ceilings.bf16 : ceilings.f32;
}

// "  12%", or blanks where nothing is known.
std::string percent(double part, double whole) {
  if (part <= 0 || whole <= 0)
    return "    -";
  char text[16];
  std::snprintf(text, sizeof text, "%4.0f%%", 100 * part / whole);
  return text;
}

} // namespace

Result<std::unique_ptr<Profile>> Profile::start(std::unique_ptr<Profile> profile, const RunOptions &run) {
  if (run.profile.ends_with(".json")) {
    INGOT_ASSIGN_OR_RETURN(profile->timeline, Timeline::create(run.profile, profile->executor));
  }
  return std::move(profile);
}

Result<std::unique_ptr<Profile>> Profile::start(serve::ExecutorRunner &runner, const RunOptions &run) {
  return start(std::unique_ptr<Profile>(new Profile(runner.executor(), &runner, !run.profile.empty())), run);
}

Result<std::unique_ptr<Profile>> Profile::start(runtime::Executor &executor, const RunOptions &run) {
  return start(std::unique_ptr<Profile>(new Profile(executor, nullptr, !run.profile.empty())), run);
}

Profile::Profile(runtime::Executor &executor, serve::ExecutorRunner *runner, bool on)
    : executor(executor), runner(runner), on(on) {
  if (on && runner)
    runner->observe([this](const serve::RunRecord &run) { add(run); });
  else if (on)
    executor.profile(&times);
}

void Profile::stop() {
  if (on && runner)
    runner->observe({});
  else if (on)
    executor.profile(nullptr);
  on = false;
}

Profile::~Profile() { stop(); }

void Profile::ran(unsigned entry, std::span<const int64_t> symbols) {
  if (!on)
    return;
  std::vector<serve::LaunchWork> work;
  for (unsigned i = 0; i < executor.plan().entries()->Get(entry)->launches()->size(); ++i) {
    const runtime::LaunchInfo info = executor.launch(entry, i);
    work.push_back(
        {double(runtime::amount(info.bytesRead, symbols)), double(runtime::amount(info.operations, symbols))});
  }
  add({entry, work, times});
}

void Profile::add(const serve::RunRecord &run) {
  size_t launches = run.work.size(), workers = executor.threads();
  int64_t began = 0, ended = 0;
  for (size_t i = 0; i < launches; ++i) {
    Total spent;
    for (size_t worker = 0; worker < workers; ++worker) {
      const runtime::StepTime &time = run.times[worker * launches + i];
      if (time.began == 0)
        continue; // no tiles
      spent.nanoseconds += double(time.passed - time.began) / double(workers);
      spent.waiting += double(time.passed - time.worked) / double(workers);
      began = began ? std::min(began, time.began) : time.began;
      ended = std::max(ended, time.passed);
    }
    if (spent.nanoseconds == 0)
      continue;
    Total &sum = kernels[std::string(executor.launch(run.entry, unsigned(i)).kernel)];
    sum.nanoseconds += spent.nanoseconds;
    sum.waiting += spent.waiting;
    sum.runs += 1;
    sum.bytes += run.work[i].bytes;
    sum.operations += run.work[i].operations;
  }
  if (began == 0)
    return;
  runs += 1;
  first = first ? first : began;
  last = ended;
  inside += double(ended - began);
  if (timeline)
    timeline->add(run);
}

Result<void> Profile::finish() {
  if (!on)
    return {};
  stop();
  std::vector<std::pair<std::string, Total>> order(kernels.begin(), kernels.end());
  std::sort(order.begin(), order.end(),
            [](const auto &a, const auto &b) { return a.second.nanoseconds > b.second.nanoseconds; });
  double all = 0;
  for (const auto &[name, total] : order)
    all += total.nanoseconds;
  // Ceilings are those of the CPU; a GPU's are not measured here.
  const bool onCpu = executor.hostCache() != nullptr;
  const Ceilings ceilings = onCpu ? measureCeilings(executor.threads()) : Ceilings();
  std::string table;
  char line[1000];
  std::snprintf(line, sizeof line, "%10s %6s %6s %8s %8s %5s %9s %5s  %s\n", "ms", "share", "wait", "runs", "GB/s",
                "max", "GFLOP/s", "max", "kernel");
  table += line;
  for (const auto &[name, total] : order) {
    double seconds = total.nanoseconds * 1e-9;
    double read = total.bytes / seconds, computed = total.operations / seconds;
    std::snprintf(line, sizeof line, "%10.3f %5.1f%% %5.1f%% %8llu %8.2f %s %9.2f %s  %s\n", seconds * 1e3,
                  100 * total.nanoseconds / all, 100 * total.waiting / total.nanoseconds,
                  (unsigned long long)total.runs, read * 1e-9, percent(read, ceilings.readBytesPerSecond).c_str(),
                  computed * 1e-9, percent(computed, ceilingOf(name, ceilings).opsPerSecond).c_str(), name.c_str());
    table += line;
  }
  std::snprintf(
      line, sizeof line,
      "%llu runs, %.3f ms from the first to the last, %.3f ms of them in launches, %.1f us between two runs\n",
      (unsigned long long)runs, double(last - first) * 1e-6, inside * 1e-6,
      runs > 1 ? (double(last - first) - inside) * 1e-3 / double(runs - 1) : 0.0);
  table += line;
  if (onCpu) {
    std::snprintf(
        line, sizeof line,
        "wait: of the workers at the barrier, part of the launch's time; max: share of what %u threads reach\n"
        "ceilings: %.1f GB/s reading memory (more is read from caches), %.1f GFLOP/s f32 (%s), %.1f bf16 (%s), "
        "%.1f Gop/s int8 (%s)\n",
        executor.threads(), ceilings.readBytesPerSecond * 1e-9, ceilings.f32.opsPerSecond * 1e-9, ceilings.f32.with,
        ceilings.bf16.opsPerSecond * 1e-9, ceilings.bf16.with, ceilings.int8.opsPerSecond * 1e-9, ceilings.int8.with);
    table += line;
  }
  std::fputs(table.c_str(), stderr);
  return timeline ? timeline->finish() : Result<void>();
}

} // namespace ingot::tool
