#include "targets/wire/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>

#include "reports/measure/ensure.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostNameBytes = 253;  // of a DNS name
constexpr std::size_t kMostShownBytes = 80;  // of a bad value in an error

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_character(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

// What is being parsed: who is blamed in an error, and the whole text as it was given.
struct Source {
  std::string_view subject;
  std::string_view text;
  std::uint16_t port = kDefaultPort;  // where the text has none
};

[[noreturn]] void refuse(const Source& source, std::string_view wrong, std::string_view way_out) {
  // A terminal must survive the value, so control characters are not repeated.
  std::string shown(source.text.substr(0, kMostShownBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  if (source.text.size() > kMostShownBytes) shown += "...";
  throw UsageError(fmt::format("{}: {} ({}){}", source.subject, wrong, shown, way_out));
}

std::uint16_t parse_port(const Source& source, std::string_view text) {
  const std::string_view allowed = " [0..65535]; write host:port, for example 127.0.0.1:2924";
  if (text.empty()) refuse(source, "the port is missing after the colon", allowed);
  if (!all_digits(text)) {
    const auto first = std::find_if_not(text.begin(), text.end(), is_digit);
    const bool trailing = first != text.begin();
    refuse(source, trailing ? "unexpected text after the port" : "the port is not a whole number",
           allowed);
  }
  if (text.size() > 1 && text[0] == '0') refuse(source, "the port has a leading zero", allowed);
  unsigned port = 0;
  for (const char c : text) {
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) refuse(source, "the port is too large", allowed);
  }
  return static_cast<std::uint16_t>(port);
}

// "::1" or "fe80::1%eth0", as it stands between brackets.
bool is_v6_literal(std::string_view host) {
  const std::size_t percent = host.find('%');
  if (percent != std::string_view::npos) {
    const std::string_view scope = host.substr(percent + 1);
    if (scope.empty() || scope.size() >= IF_NAMESIZE) return false;
    if (!std::all_of(scope.begin(), scope.end(), is_name_character)) return false;
  }
  in6_addr ip{};
  return inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &ip) == 1;
}

// The C library reads "010.1", "0x7f.1" and "2130706433" as IPv4 addresses in octal, hexadecimal
// and with parts left out. A name never ends in a number, so such a text was meant as an address.
bool looks_like_v4(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1: all of it
  return all_digits(last) || last.substr(0, 2) == "0x" || last.substr(0, 2) == "0X";
}

void check_name(const Source& source, std::string_view host) {
  if (host.empty()) {
    refuse(
        source, "the host is empty",
        " [a name, an IPv4 address, or an IPv6 address in brackets]; 0.0.0.0 and [::] mean every "
        "local address");
  }
  if (host.find('@') != std::string_view::npos) {
    refuse(source, "a user name is not part of an endpoint",
           " [host:port]; leave out the text before @");
  }
  if (host.size() > kMostNameBytes) {
    refuse(source, "the host name is too long", " [at most 253 characters]; check the name");
  }
  if (!std::all_of(host.begin(), host.end(), is_name_character)) {
    refuse(source, "the host has a character that no name has",
           " [letters, digits, '-', '.', '_']; write host:port");
  }
  if (!looks_like_v4(host)) return;
  in_addr ip{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &ip) != 1) {
    refuse(source, "the host is not an IPv4 address",
           " [four numbers of 0..255 without leading zeros]; write it like 127.0.0.1");
  }
}

HostPort parse_bracketed(const Source& source, std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) {
    refuse(source, "the closing bracket is missing", "; write [::1] or [::1]:2924");
  }
  const std::string_view host = text.substr(1, close - 1);
  if (!is_v6_literal(host)) {
    refuse(source, "the text in brackets is not an IPv6 address",
           " [an address like ::1 or fe80::1%eth0]; brackets are for IPv6 only");
  }
  const std::string_view rest = text.substr(close + 1);
  HostPort where{.host = std::string(host), .port = source.port};
  if (rest.empty()) return where;
  if (rest[0] != ':') {
    refuse(source, "unexpected text after the bracket", " [:port]; write [::1]:2924");
  }
  where.port = parse_port(source, rest.substr(1));
  return where;
}

HostPort parse(const Source& source, std::string_view text) {
  if (text.find_first_of("/?#") != std::string_view::npos) {
    refuse(source, "unexpected text after the host and port",
           " [host:port]; leave out the path and everything behind it");
  }
  if (!text.empty() && text[0] == '[') return parse_bracketed(source, text);
  const std::size_t colon = text.find(':');
  if (colon != text.rfind(':') && text.find('@') == std::string_view::npos) {
    // Without brackets nobody can tell where "::1:2924" ends and its port begins.
    if (is_v6_literal(text)) {
      const std::size_t last = text.rfind(':');
      const std::string_view rest = text.substr(0, last);
      const bool has_port = is_v6_literal(rest) && text.find_first_not_of("0123456789", last + 1) ==
                                                       std::string_view::npos;
      refuse(source, "an IPv6 address needs brackets",
             has_port ? fmt::format("; write [{}]:{}, or [{}] if that is all address", rest,
                                    text.substr(last + 1), text)
                      : fmt::format("; write [{}]", text));
    }
    refuse(source, "more than one colon",
           " [host:port]; write an IPv6 address in brackets, like [::1]:2924");
  }
  const std::string_view host =
      text.substr(0, text.find('@') == std::string_view::npos ? colon : std::string_view::npos);
  check_name(source, host);
  HostPort where{.host = std::string(host), .port = source.port};
  if (colon != std::string_view::npos) where.port = parse_port(source, text.substr(colon + 1));
  return where;
}

}  // namespace

std::string_view to_string(Protocol protocol) { return protocol == Protocol::udp ? "udp" : "tcp"; }

HostPort parse_host_port(std::string_view subject, std::string_view text, std::uint16_t port) {
  const Source source{.subject = subject, .text = text, .port = port};
  if (text.find("://") != std::string_view::npos) {
    refuse(source, "a scheme does not belong here", " [host:port]; leave out the text up to ://");
  }
  return parse(source, text);
}

Endpoint parse_endpoint(std::string_view subject, std::string_view text) {
  const Source source{.subject = subject, .text = text};
  const std::string_view allowed =
      " [udp://host:port or tcp://host:port]; for example udp://127.0.0.1:2924";
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) refuse(source, "the protocol is missing", allowed);
  const std::string_view scheme = text.substr(0, mark);
  if (scheme != "udp" && scheme != "tcp") refuse(source, "the protocol is unknown", allowed);
  Endpoint endpoint{.protocol = scheme == "udp" ? Protocol::udp : Protocol::tcp,
                    .where = parse(source, text.substr(mark + 3))};
  if (endpoint.where.port == 0) {
    refuse(source, "nothing can be reached at port 0", " [1..65535]; give the target's port");
  }
  return endpoint;
}

std::string to_string(const HostPort& where) {
  const bool is_v6 = where.host.find(':') != std::string::npos;
  if (is_v6) return fmt::format("[{}]:{}", where.host, where.port);
  return fmt::format("{}:{}", where.host, where.port);
}

std::string to_string(const Endpoint& endpoint) {
  return fmt::format("{}://{}", to_string(endpoint.protocol), to_string(endpoint.where));
}

}  // namespace volley
