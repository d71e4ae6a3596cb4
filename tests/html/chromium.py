"""A headless Chromium without a network, and what it says about a page."""

import base64
import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import harness

HERE = Path(__file__).parent
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage"]


def start(folder):
    """A browser whose profile and downloads are in `folder`."""
    options = Options()
    options.binary_location = harness.need("chromium")
    for flag in [*FLAGS, f"--user-data-dir={folder}/profile"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(harness.need("chromedriver")), options=options)
    driver.set_page_load_timeout(30)
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
        "offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": f"{folder}/downloads"})
    return driver


@contextlib.contextmanager
def look(driver, width=1280, theme="light", scripts=True):
    """While it lasts, pages are so wide, so coloured, and may or may not run scripts."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": theme}]})
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    try:
        yield driver
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def opened(driver, page):
    """Opens a file. Returns the errors that the console has of it and the addresses it asked for
    besides its own."""
    driver.get("about:blank")
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    address = Path(page).resolve().as_uri()
    driver.get(address)
    errors = [entry["message"] for entry in driver.get_log("browser")]
    asked = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    return errors, [url for url in asked if url != address]


# How many pixels between the axes of a chart, and on the lower one, have nearly this colour.
PIXELS = """
  const [canvas, colour] = arguments;
  const area = Chart.getChart(canvas).chartArea;
  const scale = canvas.width / canvas.clientWidth;
  const data = canvas.getContext("2d").getImageData(
    area.left * scale, area.top * scale, area.width * scale, (area.height + 4) * scale).data;
  let n = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200 && colour.every((c, k) => Math.abs(data[i + k] - c) < 12)) n += 1;
  return n;
"""


def pixels(driver, canvas, colour):
    rgb = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
    return driver.execute_script(PIXELS, canvas, rgb)


def html_of(driver):
    """The document as it stands, also where scripts are off."""
    root = driver.execute_cdp_cmd("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    return driver.execute_cdp_cmd("DOM.getOuterHTML", {"nodeId": root})["outerHTML"]


def screenshot(driver, file):
    """The whole page as a PNG."""
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot",
                                  {"captureBeyondViewport": True, "clip": clip})
    Path(file).write_bytes(base64.b64decode(shot["data"]))


def axe_source(folder):
    """axe-core of the version in package.json, by way of npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, and axe-core comes from there")
    shutil.copy(HERE / "package.json", folder)
    for _ in range(3):  # a network has its moments
        fetched = subprocess.run(
            ["timeout", "30", npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit",
             "--no-fund", "--prefer-offline", "--loglevel=error"],
            cwd=folder, capture_output=True, text=True, check=False)
        if fetched.returncode == 0:
            break
    assert fetched.returncode == 0, f"npm install: {fetched.stderr}"
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def serious(driver, axe, rules=None):
    """What axe finds that keeps somebody from the page: [rule and the first place]. Only by these
    rules, if any are given."""
    if not driver.execute_script("return typeof axe === 'object'"):
        driver.execute_script(axe)
    options = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found = driver.execute_async_script(
        "const done = arguments[1]; axe.run(arguments[0]).then(done, (e) => done(String(e)));",
        options)
    assert isinstance(found, dict), found
    assert rules or len(found["passes"]) > 10
    return [f'{rule["id"]}: {rule["nodes"][0]["html"][:200]}' for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")]
