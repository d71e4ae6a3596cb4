// One idea: whoever scrapes gets what was ready when it asked. The thread that keeps a run's time
// makes it ready, and the server's threads copy it; no thread that sends has to do with either.
#include "generators/cli/metrics_endpoint.hpp"

#include <fmt/format.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/measure/ensure.hpp"
#include "reports/render/families.hpp"
#include "reports/render/words.hpp"

namespace volley {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr Nanos kLeastPause = std::chrono::milliseconds(100);

double number_of(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  ensure(read.ec == std::errc(), "a point has a number");
  return value;
}

MetricType type_of(FamilyKind kind) {
  if (kind == FamilyKind::counter) return MetricType::Counter;
  return kind == FamilyKind::histogram ? MetricType::Histogram : MetricType::Gauge;
}

std::vector<ClientMetric::Label> labels_of(const Labels& labels) {
  std::vector<ClientMetric::Label> named;
  for (const auto& [name, value] : labels)
    if (name != "le") named.push_back({name, printable(value)});
  return named;
}

// The points of one distribution stand together: its buckets, then its sum, then its count.
void add_to_distribution(std::vector<ClientMetric>& metrics, const Point& point) {
  auto labels = labels_of(point.labels);
  if (metrics.empty() || metrics.back().label != labels) {
    metrics.emplace_back();
    metrics.back().label = std::move(labels);
  }
  ClientMetric::Histogram& histogram = metrics.back().histogram;
  const double value = number_of(point.value);
  if (point.suffix == "_sum") histogram.sample_sum = value;
  if (point.suffix == "_count") histogram.sample_count = static_cast<std::uint64_t>(value);
  if (point.suffix == "_bucket")
    histogram.bucket.push_back(
        {static_cast<std::uint64_t>(value), number_of(point.labels.back().second)});
}

MetricFamily converted(const PointFamily& family) {
  MetricFamily to{full_name(family), family.help, type_of(family.kind), {}};
  for (const Point& point : family.points) {
    if (to.type == MetricType::Histogram) {
      add_to_distribution(to.metric, point);
      continue;
    }
    ClientMetric metric;
    metric.label = labels_of(point.labels);
    (to.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
        number_of(point.value);
    to.metric.push_back(std::move(metric));
  }
  return to;
}

// Without what belongs to the end of the program: of a duel, one round is not yet all.
RunReport counts_of(RunReport run) {
  run.verdict.reset();
  run.checks.reset();
  run.requests.in_flight.reset();  // as while it went on (tally)
  for (const auto latency : {&RunReport::response, &RunReport::response_delivered,
                             &RunReport::service, &RunReport::send_lag, &RunReport::connect}) {
    LatencyFigures counted;
    counted.count = (run.*latency).count;
    counted.histogram = std::move((run.*latency).histogram);
    run.*latency = std::move(counted);
  }
  return run;
}

class Ready : public prometheus::Collectable {
 public:
  void put(std::vector<MetricFamily> families) {
    const std::lock_guard lock(mutex_);
    families_ = std::move(families);
  }
  [[nodiscard]] std::vector<MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    return families_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<MetricFamily> families_;
};

std::unique_ptr<prometheus::Exposer> listen(const HostPort& where) {
  // A scraper that is slow holds up the end of the program, and others.
  const std::vector<std::string> options{
      "listening_ports", to_string(where), "num_threads", "2", "request_timeout_ms", "2000"};
  try {
    return std::make_unique<prometheus::Exposer>(options);
  } catch (const std::exception&) {
    throw RunError(
        "metrics_listen", "setup",
        fmt::format("--metrics-listen {}: cannot listen there (taken, no address of this "
                    "host, or not allowed); choose another port, 0 for any",
                    to_string(where)));
  }
}

}  // namespace

struct MetricsEndpoint::Server {
  HostPort where;
  std::shared_ptr<Ready> ready = std::make_shared<Ready>();
  Report report;         // the runs are the last of each name
  Nanos shown_until{0};  // of the run that is going
  std::unique_ptr<prometheus::Exposer> exposer;

  void show(RunReport run) {
    const auto same = std::find_if(report.runs.begin(), report.runs.end(),
                                   [&](const RunReport& r) { return r.name == run.name; });
    if (same == report.runs.end())
      report.runs.push_back(std::move(run));
    else
      *same = std::move(run);
    publish();
  }
  void publish() {
    std::vector<MetricFamily> families;
    for (const PointFamily& family : families_so_far(report)) families.push_back(converted(family));
    ready->put(std::move(families));
  }
};

MetricsEndpoint::MetricsEndpoint(const std::optional<HostPort>& where, const Report& report) {
  if (!where) return;
  server_ = std::make_unique<Server>();
  server_->where = *where;
  server_->report = report;
  server_->publish();
  server_->exposer = listen(*where);
  server_->exposer->RegisterCollectable(server_->ready);
  const std::vector<int> ports = server_->exposer->GetListeningPorts();
  if (!ports.empty()) server_->where.port = static_cast<std::uint16_t>(ports.front());
}

MetricsEndpoint::~MetricsEndpoint() = default;

std::string MetricsEndpoint::url() const {
  return server_ ? fmt::format("http://{}/metrics", to_string(server_->where)) : std::string();
}

RunHooks MetricsEndpoint::hooks() {
  RunHooks hooks;
  if (!server_) return hooks;
  hooks.on_measured = [this](const RunRecord& record) {
    const Nanos end = record.intervals.back().end;
    if (end - server_->shown_until < kLeastPause) return;
    server_->shown_until = end;
    server_->show(tally(record));
  };
  return hooks;
}

void MetricsEndpoint::end(const RunReport& run) {
  if (!server_) return;
  server_->shown_until = Nanos(0);
  server_->show(counts_of(run));
}

}  // namespace volley
