// "udp://host:port": what is taken, and that every refusal says the thing, the value and a way out.
#include "targets/wire/endpoint.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

template <typename F>
std::string refusal(F parse) {
  try {
    parse();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "(accepted)";
}

std::string host_port_refusal(std::string_view text) {
  return refusal([&] { (void)parse_host_port("--listen", text); });
}

std::string endpoint_refusal(std::string_view text) {
  return refusal([&] { (void)parse_endpoint("ENDPOINT", text); });
}

HostPort where(std::string host, std::uint16_t port) {
  return {.host = std::move(host), .port = port};
}

TEST(HostPort, IsTakenInEveryDocumentedForm) {
  const auto parse = [](std::string_view text) { return parse_host_port("--listen", text); };
  EXPECT_EQ(parse("localhost"), where("localhost", 2924));
  EXPECT_EQ(parse("localhost:1"), where("localhost", 1));
  EXPECT_EQ(parse("127.0.0.1"), where("127.0.0.1", 2924));
  EXPECT_EQ(parse("127.0.0.1:65535"), where("127.0.0.1", 65535));
  EXPECT_EQ(parse("[::1]"), where("::1", 2924));
  EXPECT_EQ(parse("[::1]:2924"), where("::1", 2924));
  EXPECT_EQ(parse("[::]:0"), where("::", 0));
  EXPECT_EQ(parse("[fe80::1%eth0]:7"), where("fe80::1%eth0", 7));
  EXPECT_EQ(parse("[fe80::1%2]"), where("fe80::1%2", 2924));
  EXPECT_EQ(parse("[::ffff:10.0.0.1]:7"), where("::ffff:10.0.0.1", 7));
  EXPECT_EQ(parse("my_host-1.example.com."), where("my_host-1.example.com.", 2924));
}

TEST(HostPort, WithoutBracketsAroundAnIpv6AddressSaysHowToWriteIt) {
  EXPECT_EQ(host_port_refusal("::1"),
            "--listen: an IPv6 address needs brackets (::1); write [::1]");
  EXPECT_EQ(host_port_refusal("fe80::1%eth0"),
            "--listen: an IPv6 address needs brackets (fe80::1%eth0); write [fe80::1%eth0]");
  EXPECT_EQ(host_port_refusal("::1:2924"),
            "--listen: an IPv6 address needs brackets (::1:2924); write [::1]:2924, or [::1:2924] "
            "if that is all address");
  EXPECT_NE(host_port_refusal("host:1:2").find("more than one colon (host:1:2)"),
            std::string::npos);
}

struct Refused {
  std::string_view text;
  std::string_view reason;
};

// So that the test's name shows the text, and is the same every time.
void PrintTo(const Refused& refused, std::ostream* out) { *out << '"' << refused.text << '"'; }

class RefusedHostPort : public testing::TestWithParam<Refused> {};

TEST_P(RefusedHostPort, NamesTheSubjectTheValueAndTheReason) {
  const std::string message = host_port_refusal(GetParam().text);
  EXPECT_EQ(message.rfind("--listen: ", 0), 0U) << message;
  EXPECT_NE(message.find(GetParam().reason), std::string::npos) << message;
  EXPECT_NE(message.find("(" + std::string(GetParam().text) + ")"), std::string::npos) << message;
  EXPECT_NE(message.find("; "), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedHostPort,
    testing::Values(Refused{"", "the host is empty"}, Refused{":2924", "the host is empty"},
                    Refused{"h:", "the port is missing"},
                    Refused{"h:65536", "the port is too large"},
                    Refused{"h:99999999999999999999999", "the port is too large"},
                    Refused{"h:-1", "the port is not a whole number"},
                    Refused{"h:+1", "the port is not a whole number"},
                    Refused{"h: 1", "the port is not a whole number"},
                    Refused{"h:http", "the port is not a whole number"},
                    Refused{"h:010", "the port has a leading zero"},
                    Refused{"h:00", "the port has a leading zero"},
                    Refused{"h:1x", "unexpected text after the port"},
                    Refused{"h:1.5", "unexpected text after the port"},
                    Refused{"h:1/path", "unexpected text after the host and port"},
                    Refused{"h/", "unexpected text after the host and port"},
                    Refused{"h?x=1", "unexpected text after the host and port"},
                    Refused{"[::1", "the closing bracket is missing"},
                    Refused{"[::1]2924", "unexpected text after the bracket"},
                    Refused{"[::1]:", "the port is missing"},
                    Refused{"[]", "is not an IPv6 address"},
                    Refused{"[127.0.0.1]", "is not an IPv6 address"},
                    Refused{"[localhost]:1", "is not an IPv6 address"},
                    Refused{"[fe80::1%]", "is not an IPv6 address"},
                    Refused{"[fe80::1%a-name-longer-than-any]", "is not an IPv6 address"},
                    Refused{"user@h:1", "a user name is not part of an endpoint"},
                    Refused{"user:secret@h:1", "a user name is not part of an endpoint"},
                    Refused{"a b:1", "a character that no name has"},
                    Refused{"h]:1", "a character that no name has"},
                    Refused{"127.0.0.256", "is not an IPv4 address"},
                    Refused{"010.0.0.1", "is not an IPv4 address"},
                    Refused{"127.1:80", "is not an IPv4 address"},
                    Refused{"2130706433", "is not an IPv4 address"},
                    Refused{"0x7f000001", "is not an IPv4 address"},
                    Refused{"udp://h:1", "a scheme does not belong here"}));

TEST(HostPort, OfHostileLengthOrContentIsNotRepeatedWhole) {
  const std::string message = host_port_refusal(std::string(100'000, 'x'));
  EXPECT_NE(message.find("too long"), std::string::npos);
  EXPECT_LT(message.size(), 300U);
  const std::string control = host_port_refusal("a\x1b[2J\n");
  EXPECT_EQ(control.find('\x1b'), std::string::npos);
  EXPECT_EQ(control.find('\n'), std::string::npos);
}

TEST(Endpoint, IsAProtocolAndAPlace) {
  const Endpoint udp{.protocol = Protocol::udp, .where = where("127.0.0.1", 2924)};
  EXPECT_EQ(parse_endpoint("ENDPOINT", "udp://127.0.0.1"), udp);
  const Endpoint tcp{.protocol = Protocol::tcp, .where = where("::1", 80)};
  EXPECT_EQ(parse_endpoint("ENDPOINT", "tcp://[::1]:80"), tcp);
  EXPECT_EQ(to_string(udp), "udp://127.0.0.1:2924");
  EXPECT_EQ(to_string(tcp), "tcp://[::1]:80");
}

TEST(Endpoint, WithoutAKnownProtocolOrWithPortZeroIsRefused) {
  EXPECT_NE(endpoint_refusal("127.0.0.1:1").find("the protocol is missing"), std::string::npos);
  EXPECT_NE(endpoint_refusal("://h").find("the protocol is unknown"), std::string::npos);
  EXPECT_NE(endpoint_refusal("http://h").find("the protocol is unknown (http://h)"),
            std::string::npos);
  EXPECT_NE(endpoint_refusal("UDP://h").find("the protocol is unknown"), std::string::npos);
  EXPECT_NE(endpoint_refusal("udp://").find("the host is empty"), std::string::npos);
  EXPECT_NE(endpoint_refusal("udp://h:0").find("port 0 (udp://h:0) [1..65535]"), std::string::npos);
  EXPECT_NE(endpoint_refusal("tcp://::1").find("needs brackets (tcp://::1); write [::1]"),
            std::string::npos);
  EXPECT_NE(endpoint_refusal("udp://a@b:1").find("user name"), std::string::npos);
  EXPECT_NE(endpoint_refusal("udp://udp://h").find("unexpected text"), std::string::npos);
}

RC_GTEST_PROP(EndpointProperty, WhatIsPrintedParsesBack, ()) {
  const auto host = *rc::gen::element<std::string>("localhost", "127.0.0.1", "::1", "fe80::1%eth0",
                                                   "a.b-c", "::ffff:1.2.3.4");
  const Endpoint endpoint{.protocol = *rc::gen::element(Protocol::udp, Protocol::tcp),
                          .where = where(host, *rc::gen::inRange<std::uint16_t>(1, 65535))};
  RC_ASSERT(parse_endpoint("x", to_string(endpoint)) == endpoint);
  RC_ASSERT(parse_host_port("x", to_string(endpoint.where)) == endpoint.where);
}

RC_GTEST_PROP(EndpointProperty, AnyTextIsEitherRefusedWithItsSubjectOrParsesBack, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::element('[', ']', ':', '%', '.', '/', '@', '0', '1', 'a', 'f', '-', '\0', '\xff'));
  try {
    const HostPort parsed = parse_host_port("--listen", text);
    RC_ASSERT(parse_host_port("--listen", to_string(parsed)) == parsed);
  } catch (const UsageError& e) {
    RC_ASSERT(std::string_view(e.what()).substr(0, 10) == "--listen: ");
  }
}

}  // namespace
}  // namespace volley
