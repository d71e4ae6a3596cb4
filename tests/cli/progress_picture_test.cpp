#include "generators/cli/progress_picture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace volley {
namespace {

using namespace std::chrono_literals;

using Course = std::vector<std::optional<Nanos>>;

Progress half_way() {
  Progress progress;
  progress.phase = "measure";
  progress.elapsed = 10s;
  progress.left = 10s;
  progress.intended_per_s = 1000;
  progress.achieved_per_s = 998;
  progress.response_p50 = 41'200ns;
  progress.response_p99 = 80'100ns;
  return progress;
}

const Course kCourse{10us, 20us, std::nullopt, 80us, 80'100ns};

TEST(ProgressPicture, HasEverythingWhereThereIsRoom) {
  EXPECT_EQ(progress_picture(half_way(), kCourse, {.columns = 200, .unicode = true}),
            "measure  [██████████░░░░░░░░░░] 50 %  10 s left  998/s of 1,000/s  p50 41.2 us  "
            "p99 80.1 us  ▁▂ ██  lost 0");
  EXPECT_EQ(progress_picture(half_way(), kCourse, {.columns = 200}),
            "measure  [##########----------] 50 %  10 s left  998/s of 1,000/s  p50 41.2 us  "
            "p99 80.1 us  _. ##  lost 0");
}

TEST(ProgressPicture, NeverFillsTheLastColumn) {
  Progress progress = half_way();
  progress.lost = 12;
  progress.errors = 3;
  std::size_t last = 0;
  for (std::size_t columns = 1; columns < 220; ++columns) {
    const std::string line =
        progress_picture(progress, kCourse, {.columns = columns, .unicode = true, .colour = true});
    EXPECT_LT(cells_of(line), std::max<std::size_t>(columns, 2)) << line;
    EXPECT_GE(cells_of(line) + 1, last > columns ? columns : 1U);
    last = cells_of(line);
    if (columns > 24) {
      EXPECT_NE(line.find("p99 80.1 us"), std::string::npos) << line;
    }
    if (columns > 45) {
      EXPECT_NE(line.find("lost 12"), std::string::npos) << line;
    }
  }
}

TEST(ProgressPicture, ColoursOnlyWhatIsBadAndOnlyWhereItMay) {
  Progress progress = half_way();
  EXPECT_EQ(progress_picture(progress, {}, {.columns = 200, .colour = true}).find('\x1b'),
            std::string::npos);
  progress.lost = 1;
  EXPECT_NE(progress_picture(progress, {}, {.columns = 200, .colour = true})
                .find("\x1b[31mlost 1\x1b[0m"),
            std::string::npos);
  EXPECT_EQ(progress_picture(progress, {}, {.columns = 200}).find('\x1b'), std::string::npos);
}

TEST(ProgressPicture, WithoutAnEndHasNoBar) {
  Progress progress = half_way();
  progress.left.reset();
  EXPECT_EQ(progress_picture(progress, {}, {.columns = 200}),
            "measure  10.0 s  998/s of 1,000/s  p50 41.2 us  p99 80.1 us  lost 0");
  progress.phase = "warm-up";
  progress.left = 10s;
  progress.response_p99.reset();
  EXPECT_EQ(progress_picture(progress, {}, {.columns = 200}),
            "warm-up  10.0 s  998/s of 1,000/s  p50 41.2 us  p99 -  lost 0");
}

TEST(Sparkline, ShowsTheLastOnesAgainstTheirLargest) {
  const Course values{800us, 1us, 2us, 4us, 8us};
  EXPECT_EQ(sparkline(values, 4, true), "▁▂▄█");
  EXPECT_EQ(sparkline(values, 4, false), "_.=#");
  EXPECT_EQ(sparkline(values, 9, false), "#____");
  EXPECT_EQ(sparkline({}, 9, false), "");
  EXPECT_EQ(sparkline({std::nullopt, 0ns}, 9, false), " _");
}

TEST(Bar, IsFullOnlyAtTheEnd) {
  EXPECT_EQ(bar(0, 4, false), "[----]");
  EXPECT_EQ(bar(0.9999, 4, false), "[###-]");
  EXPECT_EQ(bar(1, 4, false), "[####]");
  EXPECT_EQ(bar(7, 4, true), "[████]");
}

}  // namespace
}  // namespace volley
