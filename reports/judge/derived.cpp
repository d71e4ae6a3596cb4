// Quotients that stay missing when they cannot be told: what comes from a file may be any number.
#include "reports/judge/derived.hpp"

#include <cmath>

namespace volley {
namespace {

std::optional<double> quotient(double a, double b) {
  const double value = a / b;
  return b > 0.0 && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<double> generator_cpu_ratio(const GeneratorSide& generator) {
  return quotient(generator.cpu_user_s + generator.cpu_system_s,
                  generator.wall_s * static_cast<double>(generator.threads));
}

std::optional<double> calls_per_message(const RunReport& run) {
  const GeneratorSide& g = run.generator;
  if (!g.send_calls || !g.receive_calls) return std::nullopt;
  return quotient(static_cast<double>(*g.send_calls) + static_cast<double>(*g.receive_calls),
                  static_cast<double>(run.requests.sent) +
                      static_cast<double>(run.requests.completed.value_or(0)));
}

}  // namespace volley
