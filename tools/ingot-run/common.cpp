// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See common.h.
#include "tools/ingot-run/common.h"

#include "runtime/core/npy.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <unistd.h>

namespace ingot::tool {
namespace {

std::atomic<bool> stopAsked{false};
bool readerGone = false;

Error outputFailed() {
  int reason = errno;
  readerGone = reason == EPIPE;
  return makeError(reason == ENOSPC ? ErrorCode::ResourceExhausted : ErrorCode::Io,
                   "cannot write to standard output: %s", runtime::systemReason(reason).c_str());
}

} // namespace

int report(const Error &error) {
  if (readerGone)
    return 1;
  if (error.code() == ErrorCode::Internal) {
    std::fprintf(stderr,
                 "ingot-run: internal error: %s\nThis is a bug of Ingot. Please report it with the command line, "
                 "the output of ingot-run --version and of ingot-run check on the engine.\n",
                 error.message().c_str());
    return 3;
  }
  std::fprintf(stderr, "ingot-run: error: %s\n", error.message().c_str());
  return 1;
}

void note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
}

Result<void> print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    return outputFailed();
  return {};
}

Result<void> flush() {
  if (std::fflush(stdout) != 0)
    return outputFailed();
  return {};
}

void catchInterrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { stopAsked.store(true, std::memory_order_relaxed); };
  action.sa_flags = int(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN); // a write then fails with EPIPE
}

bool interrupted() { return stopAsked.load(std::memory_order_relaxed); }

Progress::Progress(std::string what, int64_t total)
    : what(std::move(what)), total(total), terminal(isatty(STDERR_FILENO)), start(Clock::now()), last(start) {}

Progress::~Progress() {
  if (terminal && drawn)
    std::fputs("\r\x1b[K", stderr);
}

void Progress::update(int64_t done) {
  Clock::time_point now = Clock::now();
  if (now - last < (terminal ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000)))
    return;
  last = now;
  drawn = true;
  double spent = std::chrono::duration<double>(now - start).count();
  double left = done > 0 ? spent * double(total - done) / double(done) : 0;
  char bar[21] = "....................";
  for (int64_t i = 0; i < 20 && i * total < 20 * done; ++i)
    bar[i] = '#';
  std::fprintf(stderr, terminal ? "\r\x1b[K%s [%s] %lld/%lld, %.0f s left" : "%s [%s] %lld/%lld, %.0f s left\n",
               what.c_str(), bar, (long long)done, (long long)total, left);
  std::fflush(stderr);
}

Result<std::unique_ptr<serve::Model>> loadModel(const RunOptions &run, serve::LoadOptions load) {
  load.device = run.device;
  load.deterministic = run.deterministic;
  load.threads = run.threads;
  if (load.context == 0)
    load.context = run.context;
  load.cache_bytes = run.kvMemory;
  load.source = run.source;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, serve::Model::load(run.engine, load));
  if (run.verbose) {
    std::fputs(model->describe().c_str(), stderr);
  } else if (run.device != "cpu") {
    const runtime::VariantChoice &choice = model->runner().executor().choice();
    const runtime::VariantVerdict &taken = choice.verdicts[*choice.taken];
    note("%s%s", model->runner().executor().device().c_str(),
         taken.reason == "taken" ? "" : (": " + taken.reason).c_str());
  }
  return std::move(model);
}

Result<std::vector<int32_t>> readIds(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(runtime::NpyIntegers array, runtime::readNpyIntegers(path));
  if (array.shape.size() == 2 && array.shape[0] != 1)
    return makeError(ErrorCode::InvalidArgument, "%s: the ids have shape [%llu, %llu], expected [T] or [1, T]",
                     path.c_str(), (unsigned long long)array.shape[0], (unsigned long long)array.shape[1]);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < array.values.size(); ++i) {
    if (array.values[i] != int32_t(array.values[i]))
      return makeError(ErrorCode::InvalidArgument, "%s: id %lld at place %zu is outside any vocabulary", path.c_str(),
                       (long long)array.values[i], i);
    ids.push_back(int32_t(array.values[i]));
  }
  return ids;
}

double percentile(std::vector<double> values, double percent) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  double at = percent / 100 * double(values.size() - 1);
  size_t below = size_t(at), above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - double(below));
}

} // namespace ingot::tool
