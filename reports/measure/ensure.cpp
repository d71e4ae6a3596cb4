#include "reports/measure/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace volley {

void stop_for_mistake(const char* what, const char* file, int line) {
  std::fprintf(stderr, "volley: internal error: %s (%s:%d); please report this\n", what, file,
               line);
  std::abort();
}

}  // namespace volley
