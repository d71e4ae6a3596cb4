// The text is cut into pieces that know where they stand, so that every refusal can point there.
#include "reports/judge/threshold_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "reports/judge/spelling.hpp"
#include "reports/measure/ensure.hpp"
#include "reports/measure/units.hpp"

namespace volley {
namespace {

constexpr std::size_t kMostCharacters = 200;
constexpr std::size_t kMostWords = 3;    // "send lag p99"
constexpr std::size_t kMostGuesses = 3;  // that a refusal offers
constexpr double kHighestFactor = 1e6;
constexpr std::string_view kExamples = "write it like 'p99>2ms' or 'achieved < 0.99 * intended'";

struct Operator {
  std::string_view text;
  Comparator comparator;
};
constexpr std::array kOperators{
    Operator{">", Comparator::above},  Operator{">=", Comparator::at_least},
    Operator{"<", Comparator::below},  Operator{"<=", Comparator::at_most},
    Operator{"==", Comparator::equal}, Operator{"!=", Comparator::unequal}};
constexpr std::string_view kOperatorCharacters = "<>=!";
constexpr std::string_view kOperatorWords = "> >= < <= == !=";
constexpr std::array kVerdicts{Verdict::trusted, Verdict::degraded, Verdict::not_claimable,
                               Verdict::invalid};
constexpr std::string_view kVerdictWords = "TRUSTED DEGRADED NOT_CLAIMABLE INVALID";

// What is being parsed, for refusals.
struct Source {
  std::string_view subject;
  std::string shown;  // the condition as it can be printed
};

// A part of the condition and where it stands in it, from 0.
struct Piece {
  std::string_view text;
  std::size_t at = 0;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

std::string subject_at(const Source& source, std::size_t at) {
  return fmt::format("{} '{}', column {}", source.subject, source.shown, at + 1);
}

std::string pointed_at(const Source& source, std::size_t at) {
  return fmt::format("\n  {}\n  {}^", source.shown, std::string(at, ' '));
}

// `given` and `allowed` may be empty: then nothing was, or anything else would do.
[[noreturn]] void refuse(const Source& source, const Piece& given, std::string_view what,
                         std::string_view allowed, std::string_view advice) {
  std::string shown(given.text);
  std::replace(shown.begin(), shown.end(), '\t', ' ');  // the only blank that is not printable
  const std::string braces = shown.empty() ? "" : fmt::format(" ({})", shown);
  const std::string brackets = allowed.empty() ? "" : fmt::format(" [{}]", allowed);
  throw UsageError(fmt::format("{}: {}{}{}; {}{}", subject_at(source, given.at), what, braces,
                               brackets, advice, pointed_at(source, given.at)));
}

Piece part_of(const Piece& piece, std::size_t from, std::size_t length = std::string_view::npos) {
  return {piece.text.substr(from, length), piece.at + from};
}

Piece trimmed(Piece piece) {
  while (!piece.text.empty() && is_blank(piece.text.front())) piece = part_of(piece, 1);
  while (!piece.text.empty() && is_blank(piece.text.back())) piece.text.remove_suffix(1);
  return piece;
}

std::string without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (!is_blank(c)) result.push_back(c);
  return result;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    if (!is_blank(c)) {
      if (!inside) words.emplace_back();
      words.back().push_back(c);
    }
    inside = !is_blank(c);
  }
  return words;
}

// A refusal shows what was typed, so this comes first.
Source looked_at(std::string_view subject, std::string_view text) {
  if (text.size() > kMostCharacters)
    throw UsageError(fmt::format("{}: too long ({} characters) [at most {}]; {}", subject,
                                 text.size(), kMostCharacters, kExamples));
  Source source{subject, std::string(text)};
  for (char& c : source.shown) {
    if (is_blank(c))
      c = ' ';
    else if (!is_printable(c))
      c = '?';
  }
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!is_blank(text[i]) && !is_printable(text[i]))
      throw UsageError(
          fmt::format("{}: a character that no condition has (byte {:#04x}) [letters, digits and "
                      "signs of ASCII]; {}{}",
                      subject_at(source, i), static_cast<unsigned char>(text[i]), kExamples,
                      pointed_at(source, i)));
  return source;
}

// "p99.9" is what people write; the key is p99_9.
std::string key_of(std::string word) {
  if (word.size() > 2 && word[0] == 'p' && is_digit(word[1]))
    std::replace(word.begin(), word.end(), '.', '_');
  return word;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, "_"));
}

std::optional<MetricKind> metric_of(std::vector<std::string> words) {
  if (words.empty() || words.size() > kMostWords) return std::nullopt;
  for (std::string& word : words) word = key_of(std::move(word));
  if (words.size() == 1) return words[0] == "verdict" ? verdict_metric() : find_metric(words[0]);
  // As typed, with the first word last, with the last word first.
  if (auto found = find_metric(joined(words))) return found;
  std::rotate(words.begin(), words.begin() + 1, words.end());
  if (auto found = find_metric(joined(words))) return found;
  std::rotate(words.begin(), words.begin() + 1, words.end());
  return find_metric(joined(words));
}

std::string short_names() {
  std::string names;
  for (const MetricKind& kind : metric_kinds())
    if (!kind.short_name.empty())
      names += fmt::format("{}{}", names.empty() ? "" : " ", kind.short_name);
  return names + " verdict";
}

std::string advice_for(std::vector<std::string> words) {
  std::vector<std::string> candidates;
  const auto all = metric_kinds();
  for (const auto member : {&MetricKind::short_name, &MetricKind::name, &MetricKind::path})
    for (const MetricKind& kind : all)
      if (!(kind.*member).empty() &&
          std::find(candidates.begin(), candidates.end(), kind.*member) == candidates.end())
        candidates.push_back(kind.*member);
  candidates.emplace_back("verdict");
  std::vector<std::string> near = near_words(joined(words), candidates, kMostGuesses);
  // "p99 respones" is meant for response_p99.
  if (near.empty() && words.size() > 1 && words.size() <= kMostWords) {
    std::rotate(words.begin(), words.begin() + 1, words.end());
    near = near_words(joined(words), candidates, kMostGuesses);
  }
  if (near.empty()) return "choose one of these, or a path of the JSON (docs/thresholds.md)";
  return fmt::format("did you mean {}?", fmt::join(near, " or "));
}

MetricKind metric_in(const Source& source, const Piece& piece) {
  if (piece.text.empty()) refuse(source, piece, "a metric is missing", short_names(), kExamples);
  const std::vector<std::string> words = words_of(piece.text);
  if (auto found = metric_of(words)) return std::move(*found);
  refuse(source, piece, "not a metric", short_names(), advice_for(words));
}

// 0 to kHighestFactor, plain decimal.
std::optional<double> plain_number(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 18 && std::all_of(part.begin(), part.end(), is_digit);
  };
  if (!digits(text.substr(0, point))) return std::nullopt;
  if (point != std::string_view::npos && !digits(text.substr(point + 1))) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

// A figure of a protocol, or calls per message, may be a broken number.
bool is_counted_in_wholes(const MetricKind& metric) {
  return metric.path.starts_with("requests.") || metric.path.ends_with(".count");
}

double value_of(const std::string& subject, const MetricKind& metric, const std::string& text) {
  const std::string& unit = metric.unit;
  const bool rate = unit == "per_s" || unit == "bits_per_s";
  if (rate && (text == "0" || text == "0/s" || text == "0bit/s")) return 0;
  if (unit == "ns")
    return static_cast<double>(
        parse_duration(subject, text, Nanos(0), std::chrono::hours(1)).count());
  if (unit == "s")
    return std::chrono::duration<double>(
               parse_duration(subject, text, Nanos(0), std::chrono::hours(24 * 365)))
        .count();
  if (unit == "ratio") return parse_ratio(subject, text);
  if (unit == "per_s") return parse_rate(subject, text).per_second();
  if (unit == "bits_per_s") return static_cast<double>(parse_bit_rate(subject, text));
  if (unit == "bytes") return static_cast<double>(parse_size(subject, text, 0, UINT64_MAX));
  if (!is_counted_in_wholes(metric))
    if (const auto number = plain_number(text)) return *number;
  return static_cast<double>(parse_count(subject, text, 0));
}

double number_in(const Source& source, const MetricKind& metric, const Piece& piece) {
  // "1 0ms" is a slip, and neither 1 ms nor 10 ms.
  for (std::size_t i = 0; i < piece.text.size(); ++i)
    if (is_blank(piece.text[i])) {
      const std::size_t after = piece.text.find_first_not_of(" \t", i);
      if (is_digit(piece.text[after]) || piece.text[after] == '.')
        refuse(source, part_of(piece, i, 1), "a blank within a number", "a number and its unit",
               kExamples);
    }
  try {
    return value_of(subject_at(source, piece.at), metric, without_blanks(piece.text));
  } catch (const UsageError& error) {
    throw UsageError(error.what() + pointed_at(source, piece.at));
  }
}

double verdict_in(const Source& source, const Piece& piece) {
  std::string word = without_blanks(piece.text);
  for (char& c : word)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  for (const Verdict verdict : kVerdicts)
    if (word == to_string(verdict) || (word == "NOTCLAIMABLE" && verdict == Verdict::not_claimable))
      return rank_of(verdict);
  refuse(source, piece, "not a verdict", kVerdictWords, "choose one of these; worse is smaller");
}

MetricMultiple multiple_of(const Source& source, const MetricKind& of, double factor,
                           const Piece& piece) {
  MetricMultiple multiple{factor, metric_in(source, piece)};
  if (multiple.metric.unit != of.unit)
    refuse(source, piece, fmt::format("a metric of another unit, {}", multiple.metric.unit),
           fmt::format("{}, as {} is", of.unit, of.name), "compare like with like");
  return multiple;
}

MetricMultiple product_in(const Source& source, const MetricKind& of, const Piece& piece) {
  const std::size_t star = piece.text.find('*');
  Piece factor = trimmed(part_of(piece, 0, star));
  Piece metric = trimmed(part_of(piece, star + 1));
  if (const auto second = metric.text.find('*'); second != std::string_view::npos)
    refuse(source, part_of(metric, second, 1), "a second product", "FACTOR * METRIC", kExamples);
  if (!metric.text.empty() && !is_letter(metric.text.front())) std::swap(factor, metric);
  const auto number = plain_number(factor.text);
  if (!number || *number > kHighestFactor)
    refuse(source, factor, "not a factor", fmt::format("0 to {}", kHighestFactor), kExamples);
  return multiple_of(source, of, *number, metric);
}

std::variant<double, MetricMultiple> limit_in(const Source& source, const MetricKind& of,
                                              const Piece& piece) {
  if (piece.text.empty())
    refuse(source, piece, "the limit is missing", of.unit == "verdict" ? kVerdictWords : "",
           kExamples);
  if (const auto again = piece.text.find_first_of(kOperatorCharacters);
      again != std::string_view::npos)
    refuse(source, part_of(piece, again, 1), "a second comparison", "one",
           "give --fail-if once for each");
  if (of.unit == "verdict") return verdict_in(source, piece);
  if (piece.text.find('*') != std::string_view::npos) return product_in(source, of, piece);
  if (is_letter(piece.text.front())) return multiple_of(source, of, 1, piece);
  return number_in(source, of, piece);
}

// Cuts "SCOPE:" off what stands before the operator.
std::string scope_in(const Source& source, Piece& left) {
  const std::size_t colon = left.text.find(':');
  if (colon == std::string_view::npos) return {};
  const Piece scope = trimmed(part_of(left, 0, colon));
  left = trimmed(part_of(left, colon + 1));
  const bool plain = std::all_of(scope.text.begin(), scope.text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
  if (scope.text.empty() || !plain)
    refuse(source, scope, "not a scope", "udp, tcp, or a scenario such as udp-rr",
           "write it like 'udp: p99>2ms'");
  return std::string(scope.text);
}

// The operator and what follows; blanks may stand even within it.
const Operator& operator_in(const Source& source, const Piece& from, std::size_t& length) {
  std::string signs;
  length = 0;
  for (std::size_t i = 0; i < from.text.size(); ++i) {
    const char c = from.text[i];
    if (kOperatorCharacters.find(c) == std::string_view::npos && !is_blank(c)) break;
    if (is_blank(c)) continue;
    signs.push_back(c);
    length = i + 1;
  }
  for (const Operator& candidate : kOperators)
    if (candidate.text == signs) return candidate;
  refuse(source, {from.text.substr(0, length), from.at}, "not a comparison", kOperatorWords,
         kExamples);
}

}  // namespace

Threshold parse_threshold(std::string_view subject, std::string_view text) {
  const Source source = looked_at(subject, text);
  const Piece whole = trimmed({text, 0});
  const std::size_t at = whole.text.find_first_of(kOperatorCharacters);
  if (at == std::string_view::npos)
    refuse(source, {whole.text, whole.at + whole.text.size()}, "no comparison in it",
           kOperatorWords, kExamples);
  Threshold threshold;
  Piece left = trimmed(part_of(whole, 0, at));
  threshold.scope = scope_in(source, left);
  threshold.metric = metric_in(source, left);
  std::size_t length = 0;
  const Operator& found = operator_in(source, part_of(whole, at), length);
  threshold.comparator = found.comparator;
  const Piece right = trimmed(part_of(whole, at + length));
  threshold.limit = limit_in(source, threshold.metric, right);
  const bool number = std::holds_alternative<double>(threshold.limit);
  // Blanks mean something between the words of a metric only.
  std::string limit = without_blanks(right.text);
  if (!number) {
    limit = fmt::format("{}", fmt::join(words_of(right.text), " "));
    for (const std::string_view star : {" *", "* "})
      for (auto i = limit.find(star); i != std::string::npos; i = limit.find(star))
        limit.replace(i, 2, "*");
  }
  threshold.expr = fmt::format("{}{}{}{}{}", threshold.scope, threshold.scope.empty() ? "" : ":",
                               fmt::join(words_of(left.text), " "), found.text, limit);
  return threshold;
}

MetricKind parse_metric(std::string_view subject, std::string_view text) {
  const Source source = looked_at(subject, text);
  const Piece whole = trimmed({text, 0});
  return metric_in(source, whole);
}

}  // namespace volley
