// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the runtime are values: a code that says what the caller should do, and one sentence that names the
// thing at fault, what was expected and found, and what to do about it. Nothing in the runtime throws for a bad
// file, a bad argument or a full machine.
#ifndef INGOT_RUNTIME_CORE_ERROR_H
#define INGOT_RUNTIME_CORE_ERROR_H

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ingot::runtime {

enum class ErrorCode {
  InvalidArgument,   // the caller passed something wrong: change the call
  NotFound,          // a named thing does not exist: name another
  Corrupt,           // a file is damaged or not what it claims: get it again
  Unsupported,       // valid, but not for this machine or this version: use another machine, engine or runtime
  ResourceExhausted, // memory, pages, threads or disk ran out: ask for less or free some
  Io,                // the operating system failed us: its reason is in the sentence
  Internal,          // a bug of Ingot: report it
};

// "invalid_argument", "not_found", ...
std::string_view errorCodeName(ErrorCode code);

class [[nodiscard]] Error {
public:
  Error(ErrorCode code, std::string message) : errorCode(code), text(std::move(message)) {}

  ErrorCode code() const { return errorCode; }
  const std::string &message() const { return text; }

  // The same error with "context: " before its sentence.
  Error prefixed(std::string_view context) &&;

private:
  ErrorCode errorCode;
  std::string text;
};

// printf-style construction.
[[gnu::format(printf, 2, 3)]] Error makeError(ErrorCode code, const char *format, ...);

// 'name' for a message: control characters and non-UTF-8 lead bytes escaped, cut after 120 characters. For names that
// come out of files.
std::string quoted(std::string_view name);

// strerror(number), thread-safe.
std::string systemReason(int number);

// A value or an error. Test it before use; using the absent one is a programming error.
template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state.index() == 0; }
  explicit operator bool() const { return ok(); }

  T &operator*() & { return *std::get_if<0>(&state); }
  const T &operator*() const & { return *std::get_if<0>(&state); }
  T &&operator*() && { return std::move(*std::get_if<0>(&state)); }
  T *operator->() { return std::get_if<0>(&state); }
  const T *operator->() const { return std::get_if<0>(&state); }

  const Error &error() const & { return *std::get_if<1>(&state); }
  Error &&error() && { return std::move(*std::get_if<1>(&state)); }

private:
  std::variant<T, Error> state;
};

template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : failure(std::move(error)) {}

  bool ok() const { return !failure; }
  explicit operator bool() const { return ok(); }

  const Error &error() const & { return *failure; }
  Error &&error() && { return std::move(*failure); }

private:
  std::optional<Error> failure;
};

// Returns the error of `expression` (a Result) from the enclosing function, if it has one.
#define INGOT_RETURN_IF_ERROR(expression)                                                                              \
  do {                                                                                                                 \
    if (auto ingotResult = (expression); !ingotResult)                                                                 \
      return std::move(ingotResult).error();                                                                           \
  } while (false)

// INGOT_ASSIGN_OR_RETURN(auto file, MappedFile::open(path));
#define INGOT_ASSIGN_OR_RETURN(declaration, expression)                                                                \
  INGOT_ASSIGN_OR_RETURN_(INGOT_JOIN(ingotResult, __LINE__), declaration, expression)
#define INGOT_ASSIGN_OR_RETURN_(temporary, declaration, expression)                                                    \
  auto temporary = (expression);                                                                                       \
  if (!temporary)                                                                                                      \
    return std::move(temporary).error();                                                                               \
  declaration = *std::move(temporary)
#define INGOT_JOIN(a, b) INGOT_JOIN_(a, b)
#define INGOT_JOIN_(a, b) a##b

} // namespace ingot::runtime

#endif
