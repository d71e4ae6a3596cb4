// How a run ends, and the line that is shown until then.
#include "generators/cli/outcome.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "generators/cli/progress.hpp"

namespace volley {
namespace {

using namespace std::chrono_literals;

TEST(ExitCode, IsTheFirstThatApplies) {
  EXPECT_EQ(exit_code_of({}), 0);
  Outcome outcome;
  outcome.regression = true;
  EXPECT_EQ(exit_code_of(outcome), 98);
  outcome.threshold_met = true;
  EXPECT_EQ(exit_code_of(outcome), 99);
  outcome.untrusted = true;
  EXPECT_EQ(exit_code_of(outcome), 3);
  outcome.status = RunStatus::interrupted;
  outcome.signal = 2;
  EXPECT_EQ(exit_code_of(outcome), 130);
  outcome.signal = 15;
  EXPECT_EQ(exit_code_of(outcome), 143);
  outcome.status = RunStatus::failed;
  EXPECT_EQ(exit_code_of(outcome), 1);
}

bool json_wanted(const std::vector<std::string>& arguments) {
  Invocation invocation{{"volley"}};
  invocation.argv.insert(invocation.argv.end(), arguments.begin(), arguments.end());
  return wants_json(invocation);
}

TEST(Json, IsWantedOnStdoutWhereverTheWordStands) {
  EXPECT_TRUE(json_wanted({"run", "udp", "--report", "json"}));
  EXPECT_TRUE(json_wanted({"--report", "json:-", "nonsense"}));
  EXPECT_TRUE(json_wanted({"run", "--report=json"}));
  EXPECT_TRUE(json_wanted({"run", "--report", "csv:x", "--report", "json:/dev/stdout"}));
  EXPECT_FALSE(json_wanted({"run", "--report", "json:file"}));
  EXPECT_FALSE(json_wanted({"run", "json"}));
  EXPECT_FALSE(json_wanted({}));
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// What a line wrote.
std::string written(ProgressMode mode, bool terminal, bool quiet) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
  Progress progress;
  progress.phase = "measure";
  {
    ProgressLine line(file.get(), mode, terminal, quiet);
    const RunHooks hooks = hooks_of(line);
    hooks.on_interval(progress);
    hooks.on_warning("look out");
  }
  std::rewind(file.get());
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(Progress, IsShownOnATerminalOrWhenAskedForAndNeverWhenQuiet) {
  EXPECT_EQ(written(ProgressMode::automatic, false, false), "warning: look out\n");
  EXPECT_EQ(written(ProgressMode::none, true, false), "warning: look out\n");
  EXPECT_EQ(written(ProgressMode::plain, true, true), "");
  EXPECT_EQ(written(ProgressMode::automatic, true, true), "");
  const std::string plain = written(ProgressMode::plain, false, false);
  EXPECT_EQ(plain.rfind("measure", 0), 0U) << plain;
  EXPECT_EQ(plain.find('\r'), std::string::npos) << "a log file gets whole lines";
  const std::string rewritten = written(ProgressMode::automatic, true, false);
  EXPECT_EQ(rewritten.front(), '\r');
  EXPECT_NE(rewritten.find("\r\x1b[Jwarning: look out\n"), std::string::npos)
      << "a warning does not stand behind a half-written line";
}

TEST(Progress, TellsLoadAnswersLossesAndTimeLeft) {
  Progress progress;
  progress.phase = "measure";
  progress.elapsed = 3s;
  progress.left = 7s;
  progress.intended_per_s = 1000;
  progress.offered_per_s = 999;
  progress.achieved_per_s = 998;
  progress.response_p50 = 41'200ns;
  progress.response_p99 = 80'100ns;
  progress.lost = 1;
  EXPECT_EQ(progress_text(progress),
            "measure    3.0 s  offered 999/s of 1,000/s  achieved 998/s  p50 41.2 us  p99 80.1 us  "
            "lost 1  7.0 s left");
  progress.intended_per_s.reset();
  progress.left.reset();
  progress.response_p50.reset();
  progress.response_p99.reset();
  progress.errors = 2;
  EXPECT_EQ(progress_text(progress),
            "measure    3.0 s  offered 999/s  achieved 998/s  p50 -  p99 -  lost 1  errors 2");
}

}  // namespace
}  // namespace volley
