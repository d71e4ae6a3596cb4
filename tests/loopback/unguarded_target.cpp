// A target without its answering rules, for one purpose: to show that two of them do loop, and that
// the test which sees no loop with the rules would see one. Built for the tests only; the command
// line cannot switch the rules off.
#include <cstdio>
#include <exception>

#include "targets/serve/server.hpp"

// unguarded_target HOST:PORT
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    volley::ServeOptions options;
    options.kind = volley::TargetKind::udp_echo;
    options.listen.push_back(volley::parse_host_port("HOST:PORT", argv[1]));
    options.open = true;
    options.answer_guard = false;
    options.max_duration = std::chrono::seconds(20);
    volley::ServeHooks hooks;
    hooks.on_ready = [](const std::vector<std::string>& listening) {
      for (const std::string& endpoint : listening) std::printf("listening %s\n", endpoint.c_str());
      std::fflush(stdout);
    };
    const volley::TargetRecord record = volley::serve(options, hooks);
    std::printf("answered %llu\n", static_cast<unsigned long long>(record.udp->answered));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
