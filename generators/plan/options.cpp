// The words of the options, as they are typed and reported.
#include "generators/plan/options.hpp"

namespace volley {

std::string_view to_string(Workload workload) {
  switch (workload) {
    case Workload::rr:
      return "rr";
    case Workload::crr:
      return "crr";
    case Workload::connect:
      return "connect";
    case Workload::stream:
      return "stream";
    case Workload::hold:
      return "hold";
  }
  return "unknown";
}

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::up:
      return "up";
    case Direction::down:
      return "down";
    case Direction::both:
      return "both";
  }
  return "unknown";
}

std::string_view to_string(Close close) { return close == Close::rst ? "rst" : "fin"; }

}  // namespace volley
