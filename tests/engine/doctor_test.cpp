// The judgements of volley doctor on machines that need not exist.
#include "generators/engine/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

namespace volley {
namespace {

MachineFacts good_machine() {
  MachineFacts facts;
  facts.descriptors_soft = 1'048'576;
  facts.descriptors_hard = 1'048'576;
  facts.first_port = 32'768;
  facts.last_port = 60'999;
  facts.rmem_max_bytes = 8U << 20U;
  facts.wmem_max_bytes = 8U << 20U;
  facts.somaxconn = 4096;
  facts.cpus_online = 8;
  facts.cpus_allowed = 8;
  facts.clock_source = "tsc";
  facts.tcp_congestion = "cubic";
  facts.udp_gso = true;
  facts.udp_gro = true;
  facts.steal_ratio = 0;
  facts.governor = "performance";
  facts.load_1m = 0.1;
  facts.ipv6_loopback = true;
  facts.build = "gcc 12.2 optimized";
  return facts;
}

Finding finding_of(const MachineFacts& facts, const std::string& id) {
  for (const Finding& finding : judge_machine(facts)) {
    if (finding.id == id) return finding;
  }
  ADD_FAILURE() << "no finding " << id;
  return {};
}

TEST(Doctor, a_good_machine_is_ok_throughout) {
  for (const Finding& finding : judge_machine(good_machine())) {
    EXPECT_EQ(finding.level, FindingLevel::ok) << finding.id;
    EXPECT_FALSE(finding.found.empty()) << finding.id;
  }
}

TEST(Doctor, what_could_not_be_read_is_not_judged) {
  EXPECT_TRUE(judge_machine(MachineFacts{}).empty());
}

TEST(Doctor, every_bad_fact_is_found_with_what_it_spoils_and_the_fix) {
  struct Case {
    const char* id;
    FindingLevel level;
    void (*spoil)(MachineFacts&);
  };
  using enum FindingLevel;
  const std::vector<Case> cases{
      {"descriptors", warn, [](MachineFacts& f) { f.descriptors_soft = 256; }},
      {"descriptors", note, [](MachineFacts& f) { f.descriptors_soft = 1024; }},
      {"ports", warn, [](MachineFacts& f) { f.last_port = 40'000; }},
      {"receive_buffer", warn, [](MachineFacts& f) { f.rmem_max_bytes = 212'992; }},
      {"receive_buffer", note, [](MachineFacts& f) { f.rmem_max_bytes = 2U << 20U; }},
      {"send_buffer", note, [](MachineFacts& f) { f.wmem_max_bytes = 212'992; }},
      {"backlog", note, [](MachineFacts& f) { f.somaxconn = 128; }},
      {"cpus", warn, [](MachineFacts& f) { f.cpus_allowed = 1; }},
      {"cpus", note, [](MachineFacts& f) { f.cpus_allowed = 2; }},
      {"load", note, [](MachineFacts& f) { f.load_1m = 4.5; }},
      {"steal", warn, [](MachineFacts& f) { f.steal_ratio = 0.02; }},
      {"governor", warn, [](MachineFacts& f) { f.governor = "powersave"; }},
      {"hypervisor", note, [](MachineFacts& f) { f.hypervisor = "yes"; }},
      {"clock", warn, [](MachineFacts& f) { f.clock_source = "hpet"; }},
      {"tcp_congestion", note, [](MachineFacts& f) { f.tcp_congestion = "bbr"; }},
      {"udp_gso", note, [](MachineFacts& f) { f.udp_gso = false; }},
      {"udp_gro", note, [](MachineFacts& f) { f.udp_gro = false; }},
      {"ipv6", note, [](MachineFacts& f) { f.ipv6_loopback = false; }},
      {"build", warn, [](MachineFacts& f) { f.build = "gcc 12.2 unoptimized"; }},
      {"build", warn, [](MachineFacts& f) { f.build = "gcc 12.2 optimized thread-sanitizer"; }},
  };
  for (const Case& bad : cases) {
    MachineFacts facts = good_machine();
    bad.spoil(facts);
    const Finding finding = finding_of(facts, bad.id);
    EXPECT_EQ(finding.level, bad.level) << bad.id;
    EXPECT_FALSE(finding.spoils.empty()) << bad.id;
    EXPECT_FALSE(finding.fix.empty()) << bad.id;
    // Nothing else is blamed for it.
    const auto findings = judge_machine(facts);
    EXPECT_EQ(std::count_if(findings.begin(), findings.end(),
                            [](const Finding& f) { return f.level != ok; }),
              1)
        << bad.id;
  }
}

TEST(Doctor, the_fix_for_descriptors_is_the_one_that_helps) {
  MachineFacts facts = good_machine();
  facts.descriptors_soft = 256;
  EXPECT_EQ(finding_of(facts, "descriptors").fix, "ulimit -n 1048576");
  facts.descriptors_hard = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(finding_of(facts, "descriptors").fix, "ulimit -n 1048576");
  EXPECT_NE(finding_of(facts, "descriptors").found.find("unlimited"), std::string::npos);
  facts.descriptors_hard = 256;
  EXPECT_NE(finding_of(facts, "descriptors").fix.find("limits.conf"), std::string::npos);
}

TEST(Doctor, absurd_values_are_judged_too) {
  MachineFacts facts = good_machine();
  const auto most = std::numeric_limits<std::uint64_t>::max();
  facts.descriptors_soft = 0;
  facts.descriptors_hard = most;
  facts.first_port = 65'535;
  facts.last_port = 1;
  facts.rmem_max_bytes = most;
  facts.cpus_allowed = 9;  // more than online: they came up meanwhile
  EXPECT_EQ(finding_of(facts, "descriptors").level, FindingLevel::warn);
  EXPECT_EQ(finding_of(facts, "receive_buffer").level, FindingLevel::ok);
  EXPECT_EQ(finding_of(facts, "cpus").found, "9 of 9 CPUs may be used");
}

TEST(Doctor, this_machine_can_be_examined) {
  const MachineFacts facts = examine_machine(Nanos(0));
  EXPECT_TRUE(facts.descriptors_soft && facts.cpus_allowed && facts.udp_gso && facts.udp_gro);
  EXPECT_GE(*facts.cpus_allowed, 1U);
  if (facts.steal_ratio) {
    EXPECT_GE(*facts.steal_ratio, 0.0);
    EXPECT_LE(*facts.steal_ratio, 1.0);
  }
  const auto findings = judge_machine(facts);
  std::set<std::string> ids;
  for (const Finding& finding : findings) EXPECT_TRUE(ids.insert(finding.id).second) << finding.id;
}

}  // namespace
}  // namespace volley
