// write_samples FOLDER: the sample reports as JSON files, for tests in other languages.
#include <fstream>
#include <iostream>
#include <string>

#include "reports/render/renderer.hpp"
#include "tests/samples/samples.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_samples FOLDER\n";
    return 2;
  }
  const std::string folder = argv[1];
  auto named = volley::samples::all();
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    named.emplace_back("random_" + std::to_string(seed), volley::samples::any_report(seed));
  for (const auto& [name, report] : named)
    std::ofstream(folder + "/" + name + ".json") << volley::render_json(report);
}
