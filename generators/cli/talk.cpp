// volley talk: the options of the seed's clients.
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "generators/cli/command.hpp"
#include "generators/engine/talk.hpp"
#include "generators/plan/payload.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

// As typed; converted by our own parsers, because CLI11's let too much through.
struct Typed {
  std::string endpoint;
  std::optional<std::string> send;
  std::string timeout;
  bool v4 = false;
  bool v6 = false;
  bool quiet = false;
};

TalkOptions options_from(const Typed& typed) {
  TalkOptions options;
  options.endpoint = parse_endpoint("ENDPOINT", typed.endpoint);
  if (typed.v4) options.family = Family::v4;
  if (typed.v6) options.family = Family::v6;
  if (typed.send) options.send = unescape("--send", *typed.send);
  options.timeout = parse_duration("--timeout", typed.timeout, std::chrono::milliseconds(1),
                                   std::chrono::hours(1));
  options.quiet = typed.quiet;
  options.input = STDIN_FILENO;
  options.prompt = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  options.terminal = isatty(STDOUT_FILENO) == 1;
  return options;
}

int carry_out(const Typed& typed) {
  const int signal = talk(options_from(typed), std::cout, std::cerr);
  return signal == 0 ? kExitDone : kExitSignalBase + signal;
}

}  // namespace

Action add_talk_command(CLI::App& app, const Invocation& /*invocation*/) {
  auto typed = std::make_shared<Typed>();
  typed->timeout = format_duration_exact(TalkOptions{}.timeout);
  app.description("Send text to a server and print its answer.");
  app.add_option("ENDPOINT", typed->endpoint, "udp://HOST:PORT or tcp://HOST:PORT (port 2924)")
      ->required();
  app.add_option("--send", typed->send,
                 "send these bytes once, print the answer, end; C escapes: \\r \\n \\0 \\x41 …")
      ->type_name("TEXT");
  app.add_option("--timeout", typed->timeout,
                 "for connecting, and for silence after a message (1ms to 1h)")
      ->type_name("TIME")
      ->capture_default_str();
  auto* v4 = app.add_flag("-4", typed->v4, "IPv4 addresses only");
  app.add_flag("-6", typed->v6, "IPv6 addresses only")->excludes(v4);
  app.add_flag("--quiet", typed->quiet, "answers only, no commentary");
  app.footer(
      "Without --send: over UDP every input line is a datagram, over TCP input leaves as it is "
      "typed.\n"
      "Answers go to stdout (escaped on a terminal, raw into a pipe), commentary to stderr.\n"
      "Over TCP the answer ends when the server closes, or is silent for --timeout.\n"
      "\n"
      "Examples\n"
      "  volley talk udp://127.0.0.1:2924\n"
      "  volley talk tcp://example.org:80 --send 'GET / HTTP/1.0\\r\\n\\r\\n'\n"
      "  echo hello | volley talk udp://[::1]:2924 --quiet\n"
      "\n"
      "Exit: 0 done, 1 no answer or a network error, 2 wrong use, 130 Ctrl-C.");
  return [typed] { return carry_out(*typed); };
}

}  // namespace volley
