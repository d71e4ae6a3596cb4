// A request that is due.
#pragma once

#include "reports/measure/time.hpp"

namespace volley {

struct Due {
  MonoTime intended;
  bool measured = true;
  bool held_back = false;  // counted as such
};

}  // namespace volley
