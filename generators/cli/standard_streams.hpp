// Standard input, output and error as they are found: closed, full, or with nobody at the other
// end.
#pragma once

#include <cstdio>
#include <string_view>

namespace volley {

// To be called before anything is opened. A standard descriptor that is closed is occupied, or a
// socket would get its number and whatever is printed; writing to it fails, as on a closed one.
// And a reader that goes away is an error of the write, not the end of a run.
void hold_standard_streams();

// Prints what is meant for a person and flushes. That it cannot be printed changes nothing.
void tell(std::FILE* to, std::string_view text);

// Prints what was asked for on stdout, and flushes. False: not all of it could be written, and
// stderr says so.
[[nodiscard]] bool print_all(std::string_view text);

}  // namespace volley
