// What the generator's readings of the clock are worth on this machine (RFC 7679, section 3.7),
// measured before a run.
#pragma once

#include <optional>

#include "reports/measure/calibration.hpp"

namespace volley {

// Sends some hundred datagrams to itself, one after the other, on a socket of its own on loopback,
// and compares its readings of the clock with the kernel's stamps of sending and receiving. Looks
// again and again for each, so no wake-up is in it. Takes about 2 ms, 20 ms at most. None: this
// kernel gives no stamps in that time, or there is no loopback here.
[[nodiscard]] std::optional<Calibration> calibrate_clock_readings();

}  // namespace volley
