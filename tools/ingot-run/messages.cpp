// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See messages.h.
#include "tools/ingot-run/messages.h"

#include "runtime/core/file.h"

namespace ingot::tool {
namespace {

// Bytes that are no UTF-8 become U+FFFD: a terminal or an argument may have them, a template may not.
std::string textOf(std::string text) {
  return Json::parse(Json(std::move(text)).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

} // namespace

Result<serve::ChatInput> readMessages(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(path));
  return serve::parseConversation(text, path);
}

Result<Json> readTools(const std::string &path) {
  INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(path));
  return serve::parseTools(text, path);
}

Json variableOf(const std::string &text) {
  Result<Json> value = serve::parseJson(text, {});
  return value ? std::move(*value) : Json(textOf(text));
}

Result<void> saveMessages(const std::string &path, const Json &messages) {
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<runtime::AtomicFile> file, runtime::AtomicFile::create(path));
  INGOT_RETURN_IF_ERROR(file->write(messages.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
  return file->commit();
}

Json message(const char *role, std::string content) {
  Json one;
  one["role"] = role;
  one["content"] = textOf(std::move(content));
  return one;
}

} // namespace ingot::tool
