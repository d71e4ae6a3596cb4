// The three kinds of errors of this program, and the two that have a type.
//
//   wrong use          -> UsageError, thrown before anything starts (exit 2)
//   the network fails  -> an errno value, counted by kind (counters.hpp), never thrown in a loop;
//                         RunError where nothing can go on (exit 1)
//   our own mistakes   -> ensure() stops the program with the place that noticed
#pragma once

#include <stdexcept>
#include <string>

namespace volley {

// The user asked for something that cannot be done. The text has the shape
// `subject: what is wrong (value given) [what is allowed]; what to do`.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The world refused: a name that does not resolve, a port in use, a file that cannot be written.
// `code` is a stable word for machines (report: error.code), `phase` says how far the run had come.
class RunError : public std::runtime_error {
 public:
  RunError(std::string code, std::string phase, const std::string& text)
      : std::runtime_error(text), code_(std::move(code)), phase_(std::move(phase)) {}
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& phase() const { return phase_; }

 private:
  std::string code_;
  std::string phase_;
};

[[noreturn]] void stop_for_mistake(const char* what, const char* file, int line);

// Stops the program when `holds` is false: a mistake of ours, not of the user or the network. The
// place is the caller's (clang 14 has no std::source_location).
inline void ensure(bool holds, const char* what, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    stop_for_mistake(what, file, line);
}

}  // namespace volley
