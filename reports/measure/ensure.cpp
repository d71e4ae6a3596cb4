#include "reports/measure/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace volley {

void ensure(bool holds, const char* what, std::source_location where) {
  if (holds) return;
  std::fprintf(stderr, "volley: internal error: %s (%s:%u); please report this\n", what,
               where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace volley
