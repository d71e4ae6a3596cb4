"""The HTML report in a browser: it needs no network, draws what it says, reads without scripts, and
keeps nobody out."""
# ctest: timeout 240

import base64
import copy
import hashlib
import json
import re

import pytest

import chromium
from harness import PATIENCE, Target, finish, free_port, run_volley, start_volley, wait_until

pytestmark = pytest.mark.skipif(
    PATIENCE > 1, reason="a sanitizer build writes the same pages: the release build's are looked at")

UDP, TCP = {"light": "#0072b2", "dark": "#56b4e9"}, {"light": "#d55e00", "dark": "#e69f00"}
HOSTILE = ("</script><script>window.pwned = 1</script><!-- <img src=x onerror=\"window.pwned = 1\"> "
           "'\" & \u2028 \u202e `x` |")
CHARTS = {"curve-main", "course-rate", "course-response", "course-lost", "curve-send_lag",
          "waterfall"}
NOT_OF_MERGES = {"course-response", "waterfall"}  # no percentile of an interval can be put together


def render(folder, name, report):
    """The page of a report."""
    (folder / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    result = run_volley("report", folder / f"{name}.json",
                        "--report", f"html:{folder}/{name}.html", "--report", "text")
    assert result.code == 0, result
    return folder / f"{name}.html"


def made(folder, name, *args, codes=(0,)):
    """What a command reports, as JSON; its page is beside it."""
    result = run_volley(*args, "--report", f"html:{folder}/{name}.html",
                        "--report", f"json:{folder}/{name}.json", timeout=60)
    assert result.code in codes, result
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def made_hostile(report):
    """The report with the worst text in every place that may hold any."""
    run = report["runs"][0]
    for key in ("name", "endpoint"):
        run[key] = HOSTILE
    run["config"][HOSTILE] = HOSTILE
    run["generator"]["warnings"] = [HOSTILE]
    for check in run["checks"]:
        check["text"] = check["name"] = HOSTILE
    for condition in run["conditions"].values() if isinstance(run["conditions"], dict) else []:
        if isinstance(condition, dict):
            condition["effective"] = HOSTILE
    run["verdict"]["headline"] = report["verdict"]["headline"] = HOSTILE
    report["host"] = {HOSTILE: HOSTILE}
    report["supplied"] = {"argv": [HOSTILE], "labels": {HOSTILE: HOSTILE}}
    report["thresholds"] = [{"expr": HOSTILE, "value": 1.0, "limit": 2.0, "unit": HOSTILE,
                             "pass": False, "metric": HOSTILE, "run": HOSTILE, "round": 1,
                             "reason": HOSTILE, "missing": HOSTILE}]
    return report


def ten_minutes(report):
    """The report as of a run of 600 s with an interval each second."""
    run = report["runs"][0]
    first = run["intervals"][0]
    run["intervals"] = [
        {**first, "start_s": float(i), "end_s": i + 1.0, "sent": 200_000 + i,
         "completed": 199_000 + 7 * i % 1000, "bytes_sent": 12_800_000 + 64 * i,
         "bytes_received": 12_700_000 + 64 * i, "response_p50_ns": 51_234 + 97 * i,
         "response_p99_ns": 123_456_789 + i, "response_max_ns": 234_567_891 + i,
         "send_lag_p99_ns": 12_345 + i} for i in range(600)]
    return report


def merged(folder, programs):
    """Two generators against one echo at the same time, and the union of what they report."""
    endpoint = Target(programs, ["udp-echo"]).endpoint("udp")
    words = ("run", endpoint, "--rate", "1k", "--flows", "4", "--duration", "2s", "--warm-up",
             "200ms", "--interval", "250ms", "--stamps", "--quiet")
    started = [start_volley(*words, "--report", f"json:{folder}/part{i}.json") for i in (1, 2)]
    for process in started:
        result = finish(process, process.argv, 30, process.started)
        assert result.code == 0, result
    return made(folder, "merge", "merge", folder / "part1.json", folder / "part2.json",
                "--fail-if", "p50>1h", "--fail-if", "loss>50%", codes=(0, 99))


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module", name="reports")
def fixture_reports(folder, module_programs):
    """Reports by name, each with its page FOLDER/NAME.html."""
    reports = {
        "run": made(folder, "run", "run", "udp", "--rate", "2k", "--duration", "2s", "--warm-up",
                    "200ms", "--interval", "250ms", "--stamps", "--fail-if", "p50>1h", codes=(0, 99)),
        "duel": made(folder, "duel", "duel", "--rate", "2k", "--rounds", "2", "--duration", "1s",
                     "--warm-up", "200ms", "--interval", "200ms", "--stamps"),
        "merge": merged(folder, module_programs),
        "failed": made(folder, "failed", "run", f"tcp://127.0.0.1:{free_port()}",
                       "--duration", "1s", codes=(1,)),
    }
    reports["several"] = {**copy.deepcopy(reports["duel"]), "comparison": None}
    reports["hostile"] = made_hostile(copy.deepcopy(reports["run"]))
    reports["long"] = ten_minutes(copy.deepcopy(reports["run"]))
    for name in ("several", "hostile", "long"):
        render(folder, name, reports[name])
    return reports


@pytest.fixture(scope="module", name="browser")
def fixture_browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    driver = chromium.start(folder)
    driver.folder = folder
    yield driver
    driver.quit()


def text_of(html):
    """A page's words, without scripts, style and tags."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def island(html, name="volley-report"):
    return json.loads(re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)[1])


def widest_place(runs):
    """The colour of the place that takes most time in the waterfall of the first run."""
    colours = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"]
    steps = runs[0]["delay_by_place"]["waterfall"]
    # Where kernels do not stamp, there are fewer places, and the colours move up.
    places = [place for place, time in steps[0]["places"].items() if time is not None]
    times = [max(step["places"][place] for step in steps) for place in places]
    return colours[times.index(max(times))]


PAGES = ["run", "duel", "merge", "several", "failed", "hostile", "long"]


@pytest.mark.parametrize("name", PAGES)
def test_asks_for_nothing_and_has_no_error(browser, reports, folder, name):
    assert name in reports
    with chromium.look(browser):
        assert chromium.opened(browser, folder / f"{name}.html") == ([], [])
        assert browser.execute_script("return window.pwned") is None


def test_that_a_page_asks_or_errs_would_be_seen(browser, reports, folder):
    html = (folder / "failed.html").read_text(encoding="utf-8")
    bad = folder / "bad.html"
    address = f"http://127.0.0.1:{free_port()}/x.png"
    without = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert without != html
    bad.write_text(without.replace("</main>", f'<img src="{address}" alt="">'
                                   "<script>throw new Error('seen')</script></main>"),
                   encoding="utf-8")
    errors, asked = chromium.opened(browser, bad)
    assert asked == [address]
    assert any("seen" in error for error in errors)
    # With the policy in place neither gets as far, and the console says so.
    bad.write_text(html.replace("</main>", f'<img src="{address}" alt="">'
                                "<script>window.pwned = 1</script></main>"), encoding="utf-8")
    errors, asked = chromium.opened(browser, bad)
    assert len([error for error in errors if "Content Security Policy" in error]) == 2
    assert browser.execute_script("return window.pwned") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name, protocols", [("run", ["udp"]), ("duel", ["udp", "tcp"]),
                                             ("merge", ["udp"]), ("long", ["udp"])])
def test_draws_every_chart_with_every_protocol(browser, reports, folder, name, protocols, theme):
    with chromium.look(browser, theme=theme):
        chromium.opened(browser, folder / f"{name}.html")
        figures = browser.find_elements("css selector", "figure.drawn")
        assert {figure.get_attribute("data-chart") for figure in figures} == (
            CHARTS - NOT_OF_MERGES if name == "merge" else CHARTS)
        for figure in figures:
            chart = figure.get_attribute("data-chart")
            canvas = figure.find_element("css selector", "canvas")
            assert canvas.get_attribute("role") == "img"
            assert len(canvas.get_attribute("aria-label")) > 20
            # UDP is drawn last; TCP may lie beneath it where both are the same, as losses of 0 are.
            colours = [{"udp": UDP, "tcp": TCP}[protocol][theme] for protocol in protocols]
            if chart == "waterfall":
                colours = [widest_place(reports[name]["runs"])]
            elif chart in ("course-lost", "curve-send_lag", "course-response"):
                colours = colours[:1]
            for colour in colours:
                assert chromium.pixels(browser, canvas, colour) > 60, (chart, colour)
        # That a chart is blank would be seen.
        blank = browser.execute_script(
            "const c = document.querySelector('figure.drawn canvas');"
            "c.getContext('2d').clearRect(0, 0, c.width, c.height); return c;")
        assert chromium.pixels(browser, blank, UDP[theme]) == 0


def test_curves_and_courses_have_the_numbers_of_the_report(browser, reports, folder):
    chromium.opened(browser, folder / "long.html")
    drawn = browser.execute_script(
        "return Object.fromEntries(Array.from(document.querySelectorAll('figure.drawn')).map((f) =>"
        " [f.dataset.chart, Chart.getChart(f.querySelector('canvas')).data.datasets"
        ".map((d) => d.data)]));")
    run = reports["long"]["runs"][0]
    assert [point["y"] for point in drawn["course-rate"][0]] == [
        i["completed"] / (i["end_s"] - i["start_s"]) for i in run["intervals"]]
    assert [round(p["y"] * 1e6) for p in drawn["course-response"][1]] == [
        i["response_p99_ns"] for i in run["intervals"]]
    assert [p["y"] for p in drawn["course-lost"][0]] == [i["lost"] for i in run["intervals"]]
    # The curve ends at the largest of all samples.
    curve = island((folder / "long.html").read_text(encoding="utf-8"), "volley-curves")["main"][0]
    if run["requests"]["lost"] == 0:
        assert curve["points"][-1] == [run["requests"]["completed"],
                                       run["latency_ns"]["response"]["max"]]


@pytest.mark.parametrize("name", PAGES)
def test_is_readable_without_scripts(browser, reports, folder, name):
    with chromium.look(browser, scripts=False):
        chromium.opened(browser, folder / f"{name}.html")
        html = chromium.html_of(browser)
    assert "data-charts" not in html, "scripts ran"
    assert "<button" not in html
    captions = re.findall(r"<caption><span>(.*?)</span></caption>", html)
    assert len(captions) == html.count("<table") >= (0 if name == "hostile" else 1)
    if name in ("run", "duel", "merge", "several", "long"):
        assert html.count('<details class="of-chart" open="">') >= 3
        expected = ["Time within which such a share", "every interval", "Send lag that",
                    "What became of every request", "Checks of",
                    "what was asked, and what there was in fact"]
        expected.append("What each generator contributed" if name == "merge" else "spent their time")
        for words in expected:
            assert any(words in caption for caption in captions), words
    assert text_of(html).count("NaN") == 0


def test_says_first_whether_to_believe_it_and_which_is_better(reports, folder):
    html = (folder / "duel.html").read_text(encoding="utf-8")
    words = text_of(html[html.index("<main>"):])
    verdict = reports["duel"]["verdict"]
    place = [words.index(verdict["overall"].replace("_", " ")), words.index("has not been tested"),
             words.index("round trips"), words.index("UDP beside TCP"), words.index("UDP / TCP"),
             words.index("How long answers took")]
    assert place == sorted(place) and place[0] < 10
    assert re.search(r"<th scope=\"col\">.*UDP</th><th scope=\"col\">.*TCP</th>", html)


def test_a_merge_says_first_what_it_is_of(reports, folder):
    html = (folder / "merge.html").read_text(encoding="utf-8")
    assert ", merge of 2 reports</title>" in html
    words = text_of(html[html.index("<body>"):])
    merge = reports["merge"]
    place = [words.index(piece) for piece in (
        "merge of 2 reports : histograms added, counts summed",
        merge["verdict"]["overall"].replace("_", " "), "2 generators together", "What became of every request")]
    assert place == sorted(place)
    table = words[words.index("What each generator contributed"):words.index("Who each generator was")]
    for number, part in enumerate(merge["parts"], 1):
        assert f"part {number} " in table and f'{part["runs"][0]["sent"]:,}' in table
    # Whatever speaks of a part stands behind that.
    assert words.find("part 1") > place[0]


def test_a_failed_run_says_why(reports, folder):
    words = text_of((folder / "failed.html").read_text(encoding="utf-8"))
    assert "FAILED" in words and "connection refused" in words and "The run failed" in words
    assert "TRUSTED" not in words


def test_figures_are_those_of_the_text_report(reports, folder):
    """Every interval's row says what the JSON has; nothing is withheld as 0."""
    html = (folder / "long.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr><th scope="row">(\d+) to (\d+) s</th><td>([\d,.]+)/s</td>'
                      r"<td>([\d,]+)</td>", html)
    assert [(int(a), int(b), int(sent.replace(",", ""))) for a, b, _, sent in rows] == [
        (i, i + 1, 200_000 + i) for i in range(600)]


@pytest.mark.parametrize("name", PAGES)
def test_carries_the_report_and_allows_only_its_own_scripts(reports, folder, name):
    html = (folder / f"{name}.html").read_text(encoding="utf-8")
    saved = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert island(html) == saved
    allowed = set(re.findall(r"'(sha256-[^']+)'", re.search(
        r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]))
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", html, re.DOTALL)
    assert len(inline) == 3
    assert allowed == {"sha256-" + base64.b64encode(
        hashlib.sha256(text.encode()).digest()).decode() for text in inline}
    assert "Chart.js v3" in html and "Released under the MIT License" in html


def test_ten_minutes_of_intervals_stay_below_a_megabyte(reports, folder):
    size = (folder / "long.html").stat().st_size
    assert 400_000 < size < 1_000_000


def test_the_json_can_be_downloaded(browser, reports, folder):
    chromium.opened(browser, folder / "hostile.html")
    browser.find_element("css selector", "button").click()
    file = browser.folder / "downloads" / "volley-report.json"
    # Chromium reserves the name by an empty file, and renames what it has loaded to it.
    wait_until(lambda: file.exists() and file.stat().st_size > 0, "the download")
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(
        (folder / "hostile.json").read_text(encoding="utf-8"))


# Of the cells of tables that hold a sentence, how wide the narrowest is.
WIDTHS = """return Array.from(document.querySelectorAll(".words td"))
    .filter((cell) => cell.textContent.length > 40).map((cell) => cell.clientWidth)"""


@pytest.mark.parametrize("name", PAGES)
def test_fits_a_telephone_and_lets_the_keyboard_in(browser, reports, folder, name):
    with chromium.look(browser, width=390):
        chromium.opened(browser, folder / f"{name}.html")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        open_all(browser)
        widths = browser.execute_script(WIDTHS)
        assert len(widths) > 10 or name == "failed"
        assert all(width > 110 for width in widths), widths
        browser.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "keyDown", "key": "Tab"})
        assert browser.execute_script("return document.activeElement.className") == "skip"


@pytest.mark.parametrize("name", ["run", "duel", "merge", "failed", "several"])
def test_prints_light_and_with_everything_open(browser, reports, folder, name):
    with chromium.look(browser, theme="dark"):
        chromium.opened(browser, folder / f"{name}.html")
        browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
        assert browser.execute_script(
            "return document.querySelectorAll('details:not([open]):not(.of-chart)').length") == 0
        for canvas in browser.find_elements("css selector", "[data-chart^=course] canvas"):
            assert chromium.pixels(browser, canvas, UDP["light"]) > 60
        pdf = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
        assert base64.b64decode(pdf).startswith(b"%PDF")


def open_all(browser):
    browser.execute_script(
        "document.querySelectorAll('details').forEach((d) => { d.open = true; })")


@pytest.fixture(scope="module", name="axe")
def fixture_axe(tmp_path_factory):
    return chromium.axe_source(tmp_path_factory.mktemp("axe"))


@pytest.mark.parametrize("name", ["run", "duel", "merge", "failed", "hostile"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(browser, reports, folder, axe, name, width):
    with chromium.look(browser, width=width):
        chromium.opened(browser, folder / f"{name}.html")
        open_all(browser)
        assert chromium.serious(browser, axe) == []


@pytest.mark.parametrize("name, theme, rule", [("run", "dark", "color-contrast"),
                                               ("failed", "dark", "color-contrast"),
                                               ("long", "light", "scrollable-region-focusable")])
def test_axe_finds_nothing_in_the_dark_and_in_long_tables(browser, reports, folder, axe, name,
                                                          theme, rule):
    with chromium.look(browser, theme=theme):
        chromium.opened(browser, folder / f"{name}.html")
        open_all(browser)
        assert chromium.serious(browser, axe, [rule]) == []


def test_that_axe_finds_something_would_be_seen(browser, reports, folder, axe):
    chromium.opened(browser, folder / "failed.html")
    browser.execute_script("document.documentElement.removeAttribute('lang');"
                           "document.querySelector('h1').style.color = '#cccccc';")
    assert [found.split(":")[0] for found in chromium.serious(browser, axe)] == [
        "color-contrast", "html-has-lang"]
