// output.cpp: a report appears whole or not at all, and what cannot be written is said.
#include "reports/render/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "reports/measure/ensure.hpp"
#include "reports/render/renderer.hpp"
#include "tests/samples/samples.hpp"

namespace volley {
namespace {

namespace fs = std::filesystem;

// A folder that is gone when the test is.
class Output : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "volley_output_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(folder_),
                                                  fs::recursive_directory_iterator()));
  }

 private:
  fs::path folder_;
};

// stdout is another file as long as this lives.
class StdoutTo {
 public:
  explicit StdoutTo(int fd) : before_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    ::dup2(fd, STDOUT_FILENO);
  }
  ~StdoutTo() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  StdoutTo(const StdoutTo&) = delete;
  StdoutTo& operator=(const StdoutTo&) = delete;

 private:
  int before_;
};

Report sample() { return samples::all().front().second; }

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <typename Do>
std::string run_error(Do action) {
  try {
    action();
  } catch (const RunError& e) {
    EXPECT_EQ(e.code(), "report_path");
    EXPECT_EQ(e.phase(), "report");
    return e.what();
  }
  return {};
}

std::string usage_error(const std::vector<std::string>& values) {
  try {
    static_cast<void>(parse_report_targets(values));
  } catch (const UsageError& e) {
    return e.what();
  }
  return {};
}

TEST(ReportTargets, are_a_format_and_a_file_or_stdout) {
  const auto targets = parse_report_targets({"json", "csv:out/a:b.csv"});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].format, "json");
  EXPECT_EQ(targets[0].path, "-");
  EXPECT_EQ(targets[1].path, "out/a:b.csv");
  EXPECT_EQ(parse_report_targets({"text:-"})[0].path, "-");
  EXPECT_TRUE(parse_report_targets({}).empty());
}

TEST(ReportTargets, that_cannot_be_are_refused_with_their_reason) {
  EXPECT_NE(usage_error({"xml"}).find("unknown format (xml) [text, "), std::string::npos);
  EXPECT_NE(usage_error({""}).find("unknown format"), std::string::npos);
  EXPECT_NE(usage_error({"json:"}).find("no file behind the colon"), std::string::npos);
  EXPECT_NE(usage_error({"json", "text"}).find("two reports for stdout"), std::string::npos);
  EXPECT_NE(usage_error({"json:-", "csv:/dev/stdout"}).find("two reports for stdout"),
            std::string::npos);
  EXPECT_NE(usage_error({"json:a", "csv:./x/../a"}).find("two reports for one file"),
            std::string::npos);
  EXPECT_EQ(usage_error({"json:a", "csv:b", "text"}), "");
}

TEST(FileName, puts_the_part_before_an_extension_that_is_there_once) {
  EXPECT_EQ(file_name("out/bench.json", "", ""), "out/bench.json");
  EXPECT_EQ(file_name("out/bench.json", "smaller", ".json"), "out/bench.smaller.json");
  EXPECT_EQ(file_name("out/bench", "bigger", ".json"), "out/bench.bigger.json");
  EXPECT_EQ(file_name("r", "", ".hlog"), "r.hlog");
  EXPECT_EQ(file_name("r.hlog", "udp", ".hgrm"), "r.hlog.udp.hgrm");
  EXPECT_EQ(file_name(".json", "a", ".json"), ".json.a.json");
}

TEST(ReportTargets, of_markdown_without_a_file_are_the_job_summary_where_there_is_one) {
  const auto target = [](const std::string& value, const std::string& summary) {
    return parse_report_targets({value}, summary).front();
  };
  EXPECT_EQ(target("markdown", "sum.md").path, "sum.md");
  EXPECT_TRUE(target("markdown", "sum.md").append);
  EXPECT_EQ(target("markdown", "").path, "-");
  EXPECT_EQ(target("markdown:-", "sum.md").path, "-");
  EXPECT_EQ(target("markdown:x.md", "sum.md").path, "x.md");
  EXPECT_FALSE(target("markdown:x.md", "sum.md").append);
  EXPECT_EQ(target("json", "sum.md").path, "-");
}

TEST_F(Output, that_is_appended_leaves_what_is_there) {
  std::ofstream(path("sum.md")) << "before\n";
  ReportOutputs outputs({{"markdown", path("sum.md"), true}}, true);
  std::ofstream(path("sum.md"), std::ios::app) << "meanwhile\n";
  outputs.publish(sample());
  EXPECT_EQ(read(path("sum.md")), "before\nmeanwhile\n" + render_markdown(sample()));
  EXPECT_EQ(files(), 1U);
  const std::string what = run_error([&] {
    const ReportOutputs other({{"markdown", path("no/sum.md"), true}}, true);
  });
  EXPECT_NE(what.find("cannot open to append to: No such file"), std::string::npos);
}

TEST_F(Output, of_two_files_leaves_out_the_one_that_has_nothing) {
  ReportOutputs outputs({{"github-benchmark", path("bench.json")}}, true);
  Report report;
  report.runs.emplace_back().status = "ok";
  report.runs.front().load.achieved_per_s = 2;
  outputs.publish(report);
  EXPECT_EQ(read(path("bench.bigger.json")), render_github_bigger(report));
  EXPECT_EQ(fs::exists(path("bench.smaller.json")), !render_github_smaller(report).empty());
}

TEST_F(Output, appears_whole_and_leaves_nothing_else_behind) {
  {
    ReportOutputs outputs({{"json", path("a/b/r.json")}, {"csv", path("r.csv")}}, true);
    EXPECT_FALSE(fs::exists(path("a/b/r.json")));
    outputs.publish(sample());
  }
  EXPECT_EQ(read(path("a/b/r.json")), render_json(sample()));
  EXPECT_EQ(read(path("r.csv")), render_csv(sample()));
  EXPECT_EQ(files(), 4U);  // two folders, two files
}

TEST_F(Output, that_is_never_published_leaves_the_old_file_alone) {
  std::ofstream(path("r.json")) << "old";
  { const ReportOutputs outputs({{"json", path("r.json")}}, true); }
  EXPECT_EQ(read(path("r.json")), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Output, replaces_the_file_behind_a_link_and_not_the_link) {
  std::ofstream(path("real.json")) << "old";
  fs::create_symlink("real.json", path("link.json"));
  ReportOutputs outputs({{"json", path("link.json")}}, true);
  outputs.publish(sample());
  EXPECT_TRUE(fs::is_symlink(path("link.json")));
  EXPECT_EQ(read(path("real.json")), render_json(sample()));
}

TEST_F(Output, has_the_permissions_that_the_umask_gives) {
  ReportOutputs outputs({{"json", path("r.json")}}, true);
  outputs.publish(sample());
  const mode_t mask = ::umask(0);
  ::umask(mask);
  struct stat found {};
  ASSERT_EQ(::stat(path("r.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0666U & ~mask);
}

TEST_F(Output, goes_to_stdout_as_text_unless_quiet_or_asked_otherwise) {
  const auto printed = [&](std::vector<ReportTarget> targets, bool quiet) {
    const int fd = ::open(path("stdout").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    {
      const StdoutTo redirected(fd);
      ReportOutputs(std::move(targets), quiet).publish(sample());
    }
    ::close(fd);
    return read(path("stdout"));
  };
  EXPECT_EQ(printed({}, false), render_text(sample()));
  EXPECT_EQ(printed({}, true), "");
  EXPECT_EQ(printed({{"json", "-"}}, false), render_json(sample()));
  EXPECT_EQ(printed({{"json", "-"}}, true), render_json(sample()));
  EXPECT_EQ(printed({{"json", path("r.json")}}, false), render_text(sample()));
}

TEST_F(Output, to_a_bad_path_fails_before_the_run) {
  std::ofstream(path("file")) << "x";
  const auto opened = [&](const std::string& target) {
    return run_error([&] { const ReportOutputs outputs({{"json", target}}, true); });
  };
  EXPECT_NE(opened(path("file/r.json")).find("--report json:" + path("file/r.json")),
            std::string::npos);
  EXPECT_NE(opened(path("")).find("Is a directory"), std::string::npos);
  EXPECT_NE(opened("/proc/none/r.json").find("/proc/none/r.json: "), std::string::npos);
}

TEST_F(Output, that_fails_to_open_takes_back_the_ones_before_it) {
  EXPECT_NE(run_error([&] {
              const ReportOutputs outputs({{"json", path("r.json")}, {"csv", path("")}}, true);
            }),
            "");
  EXPECT_EQ(files(), 0U);
}

TEST_F(Output, onto_a_full_disk_is_an_error_and_the_other_reports_are_written) {
  ReportOutputs outputs({{"json", "/dev/full"}, {"csv", path("r.csv")}}, true);
  const std::string what = run_error([&] { outputs.publish(sample()); });
  EXPECT_NE(what.find("--report json:/dev/full: cannot write: No space left"), std::string::npos);
  EXPECT_EQ(read(path("r.csv")), render_csv(sample()));
}

TEST_F(Output, to_a_full_stdout_is_an_error) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  std::string what;
  {
    const StdoutTo redirected(full);
    what = run_error([&] { ReportOutputs({}, false).publish(sample()); });
  }
  ::close(full);
  EXPECT_NE(what.find("cannot write to stdout: No space left"), std::string::npos);
}

TEST_F(Output, to_a_reader_that_went_away_is_an_error_and_no_signal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  std::string what;
  {
    const StdoutTo redirected(ends[1]);
    what = run_error([&] { ReportOutputs({}, false).publish(sample()); });
  }
  ::close(ends[1]);
  EXPECT_NE(what.find("Broken pipe"), std::string::npos);
}

TEST_F(Output, to_a_device_is_written_and_not_renamed_over_it) {
  ReportOutputs outputs({{"json", "/dev/null"}}, true);
  outputs.publish(sample());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace volley
