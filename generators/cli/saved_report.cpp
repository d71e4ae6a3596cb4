#include "generators/cli/saved_report.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw RunError("bad_report", "report", file + ": " + what);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Read up to the limit and no further: the file may be a device that never ends.
std::string read_whole(const std::string& name) {
  std::unique_ptr<std::FILE, CloseFile> opened;
  if (name != "-") opened.reset(std::fopen(name.c_str(), "rbe"));
  std::FILE* const file = name == "-" ? stdin : opened.get();
  if (file == nullptr)
    refuse(name, std::string("cannot open: ") + std::strerror(errno) +
                     "; give a file that --report json:FILE wrote");
  std::string text;
  std::vector<char> block(std::size_t{1} << 16U);
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), file)) {
    text.append(block.data(), n);
    if (text.size() > kMostBytes)
      refuse(name, "too large (more than 256 MiB) [at most 256 MiB]; take a report of fewer runs");
  }
  if (std::ferror(file) != 0)
    refuse(name, std::string("cannot read: ") + std::strerror(errno) +
                     "; give a file that --report json:FILE wrote");
  return text;
}

}  // namespace

Report read_report(const std::string& file) {
  try {
    return parse_report(read_whole(file));
  } catch (const RunError& e) {
    const std::string text = e.what();
    if (text.starts_with(file + ": ")) throw;
    refuse(file, text);
  }
}

}  // namespace volley
