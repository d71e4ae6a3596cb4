#include "reports/measure/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace volley {

void ensure(bool holds, const char* what, const char* file, int line) {
  if (holds) return;
  std::fprintf(stderr, "volley: internal error: %s (%s:%d); please report this\n", what, file,
               line);
  std::abort();
}

}  // namespace volley
