#include "generators/cli/command_line.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <optional>

#include "generators/cli/run_options.hpp"
#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

using Words = std::vector<std::string>;

// A program with one command that has the options of a run.
struct Program {
  CLI::App app{"test", "volley"};
  CLI::App* run = nullptr;
  std::string endpoint;
  std::shared_ptr<TypedRunOptions> typed = std::make_shared<TypedRunOptions>();

  Program() {
    run = app.add_subcommand("run");
    run->add_option("ENDPOINT", endpoint)->required();
    declare_run_options(*run, typed, "10s");
  }
};

std::string refusal(const Words& words) {
  Program program;
  try {
    parse_command_line(program.app, words);
    (void)convert(*program.typed);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CommandLine, GivesValuesThatLookLikeOptionsToTheParserThatRefusesThem) {
  EXPECT_EQ(refusal({"run", "udp", "--flows", "-1"}),
            "--flows: not a whole number (-1) [1 to 1000000]; write it like 8, 20000 or 20k");
  EXPECT_NE(refusal({"run", "udp", "--rate", "-5"}).find("--rate: not a rate (-5)"),
            std::string::npos);
  EXPECT_NE(refusal({"run", "udp", "--duration", "-1s"}).find("--duration: not a time (-1s)"),
            std::string::npos);
  EXPECT_NE(refusal({"run", "udp", "--flows=-1"}).find("(-1)"), std::string::npos);
  EXPECT_NE(refusal({"run", "udp", "--size", "-4"}).find("--size: not a size (-4)"),
            std::string::npos)
      << "although -4 is an option of its own";
}

TEST(CommandLine, NamesUnknownOptionsAndWhatWasMeant) {
  EXPECT_EQ(refusal({"run", "udp", "--bogus"}),
            "--bogus: volley run has no such option; see volley run --help");
  EXPECT_EQ(refusal({"run", "udp", "--flwos", "3"}),
            "--flwos: volley run has no such option; did you mean --flows? see volley run --help");
  EXPECT_EQ(refusal({"run", "udp", "tcp"}),
            "tcp: one argument too many for volley run; see volley run --help");
  EXPECT_EQ(refusal({"run", "udp", "-x"}),
            "-x: volley run has no such option; see volley run --help");
}

TEST(CommandLine, NamesUnknownAndMissingCommands) {
  EXPECT_EQ(refusal({"rnu", "udp"}),
            "rnu: volley has no such command [run]; did you mean run? see volley --help");
  EXPECT_EQ(refusal({"benchmark"}),
            "benchmark: volley has no such command [run]; see volley --help");
  EXPECT_EQ(refusal({}), "volley: a command is missing [run]; see volley --help");
  EXPECT_EQ(refusal({"--bogus"}),
            "--bogus: volley has no such option before a command; see volley --help");
}

TEST(CommandLine, NamesWhatIsMissing) {
  EXPECT_EQ(refusal({"run"}), "ENDPOINT: it is missing; see volley run --help");
  EXPECT_EQ(refusal({"run", "--flwos", "3"}).rfind("--flwos: ", 0), 0U);
  EXPECT_EQ(refusal({"run", "udp", "--flows"}),
            "--flows: its value is missing; see volley run --help");
  EXPECT_EQ(refusal({"run", "udp", "--flows", "--threads", "2"}),
            "--flows: its value is missing; see volley run --help");
  EXPECT_NE(refusal({"run", "udp", "--flows", "1", "--flows", "2"}).find("--flows"),
            std::string::npos);
}

TEST(CommandLine, KeepsValuesAsTheyWereTyped) {
  Program program;
  parse_command_line(program.app, {"run", "udp", "--request", "a=b --flows [x,y]", "--expect", "",
                                   "--label", "a=1", "--label", "b=[2,3]", "--reply=until:="});
  EXPECT_EQ(program.endpoint, "udp");
  EXPECT_EQ(program.typed->request, "a=b --flows [x,y]");
  EXPECT_EQ(program.typed->expect, "");
  EXPECT_EQ(program.typed->labels, (Words{"a=1", "b=[2,3]"}));
  EXPECT_EQ(program.typed->reply, "until:=");
}

TEST(CommandLine, RefusesNumbersThatOtherParsersLetThrough) {
  for (const char* text : {"010", "1e3", "0x10", "nan", "inf", "2.5", "", " 1", "+1",
                           "18446744073709551616", "1_000", "1,000"}) {
    EXPECT_EQ(refusal({"run", "udp", "--requests", text}).rfind("--requests: ", 0), 0U) << text;
    EXPECT_EQ(refusal({"run", "udp", "--flows", text}).rfind("--flows: ", 0), 0U) << text;
  }
  for (const char* text : {"nan", "1e300", "10", "1e3s", "5x", "1.s", ".5s", "infs"})
    EXPECT_EQ(refusal({"run", "udp", "--duration", text}).rfind("--duration: ", 0), 0U) << text;
}

TEST(CommandLine, SaysTheChoicesWhenAWordIsUnknown) {
  EXPECT_EQ(refusal({"run", "udp", "--workload", "rrr"}),
            "--workload: no such choice (rrr) [rr crr connect stream hold]; choose one of these");
  EXPECT_EQ(
      refusal({"run", "udp", "--arrival", "pareto"}),
      "--arrival: no such choice (pareto) [poisson constant burst:N trace:FILE closed]; choose "
      "one of these");
  EXPECT_EQ(refusal({"run", "udp", "--wait", "sleep"}),
            "--wait: no such choice (sleep) [auto block spin]; choose one of these");
  EXPECT_NE(refusal({"run", "udp", "--arrival", "trace:"}), "accepted");
  EXPECT_NE(refusal({"run", "udp", "--arrival", "burst:0"}), "accepted");
}

TEST(CommandLine, RefusesTwoWordsForOneThing) {
  EXPECT_EQ(refusal({"run", "udp", "--size", "64", "--size-mix", "64:1,65:1"}),
            "--size, --size-mix: both say how large a message is; leave out one of the two");
  EXPECT_EQ(refusal({"run", "udp", "--label", "a=1", "--label", "a=2"}),
            "--label: the name is given twice (a) [once each]; leave out one");
  EXPECT_EQ(refusal({"run", "udp", "--label", "=1"}),
            "--label: not a name and a value (=1) [NAME=VALUE]; write it like --label host=a");
  EXPECT_EQ(refusal({"run", "udp", "--direction", "up"}),
            "--direction up: only a stream has a direction (--workload rr); use --workload stream, "
            "or leave out --direction");
  EXPECT_EQ(refusal({"run", "udp", "-4", "-6"}),
            "-4, -6: no address is of both kinds; leave out one of the two");
}

TEST(CommandLine, ConvertsWhatItAccepts) {
  Program program;
  parse_command_line(
      program.app,
      {"run",       "tcp://h:1", "--workload", "stream", "--direction", "both",
       "--flows",   "4k",        "--rate",     "1.5k/s", "--arrival",   "burst:8",
       "--warm-up", "0",         "--timeout",  "1.5ms",  "--seed",      "18446744073709551615",
       "--size",    "4KiB",      "--nodelay",  "off",    "--dscp",      "63",
       "-6",        "--pin"});
  const RunOptions options = convert(*program.typed);
  EXPECT_EQ(options.workload, Workload::stream);
  EXPECT_EQ(options.direction, Direction::both);
  EXPECT_EQ(options.flows, 4000U);
  EXPECT_EQ(options.rate, Rate{1'500'000'000});
  ASSERT_TRUE(options.arrival.has_value());
  EXPECT_EQ(options.arrival->burst, 8U);
  EXPECT_EQ(options.warm_up, Nanos(0));
  EXPECT_EQ(options.timeout, Nanos(1'500'000));
  EXPECT_EQ(options.seed, 18446744073709551615U);
  EXPECT_EQ(options.sizes.front().bytes, 4096U);
  EXPECT_FALSE(options.socket.nodelay);
  EXPECT_EQ(options.socket.dscp, 63U);
  EXPECT_EQ(options.family, Family::v6);
  EXPECT_TRUE(options.pin);
}

TEST(CommandLine, LeavesTheDefaultsOfTheOptionsStruct) {
  Program program;
  parse_command_line(program.app, {"run", "udp"});
  const RunOptions options = convert(*program.typed);
  const RunOptions defaults;
  EXPECT_EQ(options.flows, defaults.flows);
  EXPECT_EQ(options.warm_up, defaults.warm_up);
  EXPECT_EQ(options.timeout, defaults.timeout);
  EXPECT_EQ(options.interval, defaults.interval);
  EXPECT_FALSE(options.duration.has_value());
}

TEST(CommandLine, MeasuresAWholeTraceUnlessAWarmUpIsAskedFor) {
  Program program;
  parse_command_line(program.app, {"run", "udp", "--arrival", "trace:f"});
  EXPECT_EQ(convert(*program.typed).warm_up, Nanos(0));
}

RC_GTEST_PROP(CommandLine, IsParsedOrRefusedWhateverIsTyped, (const Words& tail)) {
  Words words{"run", "udp"};
  for (const std::string& word : tail)
    if (word.find('\0') == std::string::npos) words.push_back(word);
  try {
    RC_ASSERT(!refusal(words).empty());
  } catch (const CLI::Success&) {
    RC_SUCCEED("help was asked for");
  } catch (const RunError&) {
    RC_SUCCEED("a file was asked for");
  }
}

TEST(Nearest, FindsATypingErrorAndNothingFurtherAway) {
  const Words names{"--flows", "--threads", "--rate", "--report"};
  EXPECT_EQ(nearest("--flow", names), "--flows");
  EXPECT_EQ(nearest("--thraeds", names), "--threads");
  EXPECT_EQ(nearest("--reprot", names), "--report");
  EXPECT_EQ(nearest("--bogus", names), "");
  EXPECT_EQ(nearest("", names), "");
}

}  // namespace
}  // namespace volley
