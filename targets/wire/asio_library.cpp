// asio's implementation, compiled once for the whole program (ASIO_SEPARATE_COMPILATION).
//
// A standard header comes first: asio 1.22 asks libstdc++'s own macros whether memory is to come
// from aligned_alloc, and without any of its headers the answer here would differ from that in the
// files that use asio, so that memory would be freed by another function than it came from.
#include <memory>

#include <asio/impl/src.hpp>
