// What a report can do beyond being read: its charts, and handing out its JSON. All data comes from
// the two islands of JSON in the page; text reaches the page as text only, never as HTML.
(function () {
  "use strict";

  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const report = read("volley-report");
  const curves = read("volley-curves");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const MOST_RUNS = 12;

  // Okabe and Ito: UDP is blue, TCP is vermilion; on dark paper their lighter neighbours.
  const LIGHT = {
    ink: "#14181d", grid: "#d9dfe5", udp: "#0072b2", tcp: "#d55e00",
    more: ["#0072b2", "#d55e00", "#009e73", "#b8527f", "#8a6d00", "#2f6f9f", "#14181d", "#7a4fb5"],
    places: ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"],
  };
  const DARK = {
    ink: "#eceff3", grid: "#39434d", udp: "#56b4e9", tcp: "#e69f00",
    more: ["#56b4e9", "#e69f00", "#2fcf9f", "#e39ac2", "#f0e442", "#9cc7ff", "#eceff3", "#c3a6f0"],
    places: LIGHT.places,
  };
  let palette = dark.matches ? DARK : LIGHT;

  // ---------------------------------------------------------------------------------------------
  // Numbers

  const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]];
  // The unit in which the middle of some times reads best.
  function unitOf(times) {
    const sorted = times.filter((t) => t > 0).sort((a, b) => a - b);
    const middle = sorted.length ? sorted[Math.floor(sorted.length / 2)] : 1;
    return UNITS.find(([ns]) => middle >= ns) || UNITS[3];
  }
  const short = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const percent = (x) => {
    const digits = Math.max(0, Math.round(Math.log10(x)) - 2);
    return (100 * (1 - 1 / x)).toFixed(digits) + " %";
  };

  // ---------------------------------------------------------------------------------------------
  // What all charts have in common

  const nameOf = (protocol) => protocol.toUpperCase();
  function styleOf(protocol, at, ofProtocol) {
    return {
      colour: ofProtocol > 1 ? palette.more[at % palette.more.length] : palette[protocol],
      point: protocol === "udp" ? "circle" : "rectRot",
    };
  }
  function axis(title, more) {
    return Object.assign({
      title: { display: true, text: title, color: palette.ink },
      ticks: { color: palette.ink, maxRotation: 0, autoSkipPadding: 12 },
      grid: { color: palette.grid },
    }, more);
  }
  function options(x, y, more) {
    return Object.assign({
      animation: false, responsive: true, maintainAspectRatio: false,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: { x: x, y: y },
      plugins: { legend: { labels: { color: palette.ink, usePointStyle: true, boxWidth: 8, boxHeight: 8, padding: 16,
                                     filter: (item) => item.text !== "" } } },
    }, more);
  }
  function line(label, colour, data, more) {
    return Object.assign({
      label: label, data: data, borderColor: colour, backgroundColor: colour,
      borderWidth: 2, pointRadius: 0, pointHitRadius: 8, parsing: false, clip: 8,
    }, more);
  }
  const onlyDecades = (value) => {
    const exponent = Math.log10(value);
    return Math.abs(exponent - Math.round(exponent)) < 1e-9;
  };

  // ---------------------------------------------------------------------------------------------
  // The charts: each gives a configuration of Chart.js, or null where there is nothing to draw

  function curve(list, word) {
    if (list.length === 0) return null;
    const [ns, unit] = unitOf(list.flatMap((one) => one.points.map((point) => point[1])));
    const count = (protocol) => list.filter((one) => one.protocol === protocol).length;
    const datasets = list.map((one, at) => {
      const style = styleOf(one.protocol, at, count(one.protocol));
      const label = one.runs > 1 || list.length === 1 || count(one.protocol) === 1
        ? nameOf(one.protocol)
        : (one.run + 1) + " " + report.runs[one.run].name;
      const data = one.points.map(([x, y]) => ({ x: x, y: Math.max(y, 1) / ns }));
      const every = Math.max(1, Math.round(data.length / 10));
      return line(label, style.colour, data, {
        stepped: "after",
        pointStyle: style.point,
        pointRadius: data.map((_, i) => (i % every === Math.floor(every / 2) ? 4 : 0)),
        segment: { borderDash: (s) => (s.p1.parsed.x > one.claimed_to ? [3, 4] : undefined) },
      });
    });
    const x = axis("share answered within that time (p on an axis of 1/(1−p))",
                   { type: "logarithmic", min: 1 });
    if (word === "send lag") x.title.text = "share sent within that lag (p on an axis of 1/(1−p))";
    x.ticks.callback = (value) => (onlyDecades(value) ? percent(value) : null);
    const y = axis(word + " time, " + unit, { type: "logarithmic" });
    if (word === "send lag") y.title.text = word + ", " + unit;
    y.ticks.callback = (value) => (["1", "2", "5"].includes(value.toExponential(6).replace(/[.]?0*e.*$/, "")) ? short(value) : null);
    const all = options(x, y);
    all.plugins.tooltip = { callbacks: {
      title: (items) => "p" + (100 * (1 - 1 / items[0].parsed.x)).toPrecision(5),
      label: (item) => item.dataset.label + ": " + short(item.parsed.y) + " " + unit,
    } };
    return { type: "line", data: { datasets: datasets }, options: all };
  }

  const lengthOf = (interval) => interval.end_s - interval.start_s;
  // One line for each run; `series` says what of an interval is drawn, and how.
  function course(title, series, more) {
    const runs = report.runs.slice(0, MOST_RUNS);
    const several = !report.comparison && runs.length > 1;
    const datasets = [];
    const named = new Set();
    // A last interval that was cut short is not worth a point.
    // (Not Math.max(...): a call takes no hundred thousand arguments.)
    const longest = runs.flatMap((run) => run.intervals.map(lengthOf)).reduce((a, b) => (a > b ? a : b), 0);
    const least = longest / 10;
    let end = 0;
    runs.forEach((run, at) => {
      const colour = several ? palette.more[at % palette.more.length] : palette[run.protocol];
      for (const one of series) {
        const data = run.intervals
          .filter((interval) => one.value(interval) !== null && lengthOf(interval) > least)
          .map((interval) => ({ x: interval.end_s, y: one.value(interval) }));
        if (data.length === 0) continue;
        end = Math.max(end, data[data.length - 1].x);
        const name = ((several ? (at + 1) + " " + run.name : nameOf(run.protocol)) + " " + one.name).trim();
        datasets.push(line(named.has(name) ? "" : name, colour, data, {
          borderDash: one.dash, pointRadius: data.length > 60 ? 0 : 3,
          pointStyle: run.protocol === "udp" ? "circle" : "rectRot",
          // Hollow where the line is dashed, so that the legend tells them apart as well.
          backgroundColor: one.dash ? "transparent" : colour,
        }));
        named.add(name);
      }
    });
    if (datasets.length === 0) return null;
    const y = axis(title, Object.assign({ beginAtZero: true }, more));
    if (more && more.whole) y.ticks.precision = 0;
    return { type: "line", data: { datasets: datasets }, options: options(
      axis("time since the measuring began, s", { type: "linear", min: 0, max: end }), y) };
  }
  const rate = () => course("answers per second, 1/s", [{
    name: "", value: (i) => (i.completed === null ? null : i.completed / lengthOf(i)),
  }]);
  function responses() {
    const times = report.runs.flatMap((run) => run.intervals.map((i) => i.response_p99_ns)).filter((t) => t !== null);
    const [ns, unit] = unitOf(times);
    const of = (key) => (i) => (i[key] === null ? null : i[key] / ns);
    return course("response time, " + unit, [
      { name: "p50", value: of("response_p50_ns") },
      { name: "p99", value: of("response_p99_ns"), dash: [6, 4] },
    ]);
  }
  const losses = () => course("lost requests of an interval", [{ name: "", value: (i) => i.lost }],
                              { suggestedMax: 5, whole: true });

  const PLACES = [["send_lag", "send lag"], ["generator_kernel", "generator kernel"], ["forward", "way there"],
    ["target_queue", "target queue"], ["target_service", "target service"], ["backward", "way back"],
    ["generator_wake_up", "generator wake-up"]];
  function waterfall() {
    const bars = [];
    const seen = new Set();
    for (const run of report.runs) {
      const known = report.comparison ? run.protocol : run.name;
      if (!run.delay_by_place || seen.has(known) || seen.size >= MOST_RUNS) continue;
      if (report.comparison && run.status !== "ok") continue;
      const steps = run.delay_by_place.waterfall;
      if (steps.length === 0) continue;
      seen.add(known);
      for (const step of steps)
        bars.push({ label: nameOf(run.protocol) + " p" + Number((step.percentile * 100).toPrecision(6)), step: step });
    }
    if (bars.length === 0) return null;
    const [ns, unit] = unitOf(bars.map((bar) => bar.step.response_ns));
    const datasets = PLACES
      .filter(([key]) => bars.some((bar) => typeof bar.step.places[key + "_ns"] === "number"))
      .map(([key, words], at) => ({
        label: words, backgroundColor: palette.places[at], borderColor: palette.ink, borderWidth: 1,
        data: bars.map((bar) => (bar.step.places[key + "_ns"] === null ? null : bar.step.places[key + "_ns"] / ns)),
      }));
    const all = options(axis("time, " + unit, { stacked: true, beginAtZero: true }),
                        axis("requests around a percentile of response", { stacked: true }));
    all.indexAxis = "y";
    all.plugins.legend.labels.pointStyle = "rect";
    all.interaction = { mode: "nearest", intersect: true };
    return { type: "bar", data: { labels: bars.map((bar) => bar.label), datasets: datasets }, options: all };
  }

  const CHARTS = {
    "curve-main": () => curve(curves.main, report.runs[0].workload === "connect" ? "connect" : "response"),
    "curve-send_lag": () => curve(curves.send_lag, "send lag"),
    "course-rate": rate,
    "course-response": responses,
    "course-lost": losses,
    "waterfall": waterfall,
  };

  // ---------------------------------------------------------------------------------------------
  // The page

  let drawn = [];
  function draw() {
    for (const chart of drawn) chart.destroy();
    drawn = [];
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const configuration = CHARTS[figure.dataset.chart]();
      figure.classList.toggle("drawn", configuration !== null);
      if (configuration !== null) drawn.push(new Chart(figure.querySelector("canvas"), configuration));
    }
    document.documentElement.dataset.charts = String(drawn.length);
  }

  function shutTables() {
    for (const figure of document.querySelectorAll(".drawn"))
      for (const details of figure.querySelectorAll(".of-chart")) details.open = false;
  }

  // A page on paper is light, and has what stands behind the details.
  let opened = [];
  function beforePrint() {
    palette = LIGHT;
    draw();
    opened = Array.from(document.querySelectorAll("details:not([open]):not(.of-chart)"));
    for (const details of opened) details.open = true;
  }
  function afterPrint() {
    for (const details of opened) details.open = false;
    palette = dark.matches ? DARK : LIGHT;
    draw();
  }

  function offerDownload() {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Download the JSON";
    button.addEventListener("click", () => {
      const blob = new Blob([document.getElementById("volley-report").textContent + "\n"], { type: "application/json" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = "volley-report.json";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
    const row = document.createElement("p");
    row.append(button);
    document.getElementById("download-place").after(row);
  }

  draw();
  shutTables();
  offerDownload();
  dark.addEventListener("change", () => { palette = dark.matches ? DARK : LIGHT; draw(); });
  window.addEventListener("beforeprint", beforePrint);
  window.addEventListener("afterprint", afterPrint);
}());
