// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See timeline.h.
#include "tools/ingot-run/timeline.h"

#include "tools/ingot-run/common.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>

namespace ingot::tool {

using nlohmann::ordered_json;

namespace {

std::string quotedJson(std::string_view text) {
  return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace

Result<std::unique_ptr<Timeline>> Timeline::create(const std::string &path, const runtime::Executor &executor) {
  std::FILE *file = std::fopen(path.c_str(), "we");
  if (!file)
    return makeError(ErrorCode::Io, "%s: cannot be written: %s", path.c_str(), runtime::systemReason(errno).c_str());
  return std::unique_ptr<Timeline>(new Timeline(path, file, executor));
}

Timeline::Timeline(std::string given, std::FILE *file, const runtime::Executor &executor)
    : path(std::move(given)), file(file), executor(executor) {
  std::fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
  std::fputs("{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"ingot-run\"}}", file);
  for (unsigned track = 0; track <= executor.threads(); ++track) {
    std::string name = track == executor.threads() ? "runs" : "worker " + std::to_string(track);
    std::fprintf(file, ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
                 track, name.c_str());
  }
  const auto &entries = *executor.plan().entries();
  launches.resize(entries.size());
  for (unsigned entry = 0; entry < entries.size(); ++entry)
    for (unsigned i = 0; i < entries.Get(entry)->launches()->size(); ++i) {
      runtime::LaunchInfo info = executor.launch(entry, i);
      launches[entry].push_back(
          "\"cat\":\"launch\",\"name\":" + quotedJson(info.node.empty() ? info.kernel : info.node) +
          ",\"args\":{\"kernel\":" + quotedJson(info.kernel) + ",\"variant\":" + quotedJson(info.variant) +
          ",\"launch\":" + std::to_string(i));
    }
}

Timeline::~Timeline() {
  if (file)
    (void)finish(); // an error on the way out has its own message
}

void Timeline::event(int64_t began, int64_t ended, unsigned track, const std::string &rest) {
  std::fprintf(file, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,%s}", track,
               double(began - start) * 1e-3, double(ended - began) * 1e-3, rest.c_str());
}

void Timeline::add(const serve::RunRecord &run) {
  size_t count = run.work.size();
  int64_t first = 0, last = 0;
  for (const runtime::StepTime &time : run.times) {
    if (time.began && (first == 0 || time.began < first))
      first = time.began;
    last = std::max(last, time.passed);
  }
  if (first == 0)
    return; // no launch had tiles
  if (start == 0)
    start = first;
  std::string step = ",\"step\":" + std::to_string(steps++);
  event(first, last, executor.threads(),
        "\"cat\":\"run\",\"name\":" + quotedJson(executor.plan().entries()->Get(run.entry)->name()->string_view()) +
            ",\"args\":{" + step.substr(1) + "}");
  for (unsigned worker = 0; worker < executor.threads(); ++worker)
    for (size_t i = 0; i < count; ++i) {
      const runtime::StepTime &time = run.times[worker * count + i];
      if (time.worked > time.began)
        event(time.began, time.worked, worker, launches[run.entry][i] + step + "}");
      if (time.passed > time.worked)
        event(time.worked, time.passed, worker, "\"cat\":\"barrier\",\"name\":\"wait\"");
    }
}

Result<void> Timeline::finish() {
  std::fputs("\n]}\n", file);
  errno = 0;
  bool failed = std::ferror(file) != 0;
  failed |= std::fclose(file) != 0;
  int reason = errno;
  file = nullptr;
  if (failed)
    return makeError(reason == ENOSPC ? ErrorCode::ResourceExhausted : ErrorCode::Io,
                     "%s: the profile could not be written whole: %s", path.c_str(),
                     runtime::systemReason(reason ? reason : EIO).c_str());
  return {};
}

} // namespace ingot::tool
