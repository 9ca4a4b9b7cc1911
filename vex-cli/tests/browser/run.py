#!/usr/bin/env python3
"""Tests the page of `vex explore` in a real browser.

Needs Chromium or Chrome, and chromedriver. Everything is written to a temporary folder, which is
removed in the end, and every process that is started is ended. With --shots, pictures of the page
are saved for someone to look at.
"""

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time

import accessibility
import steps
import troubles
from explored import Rows, Server, build
from page import Page
from webdriver import Browser, browser

STEPS = [
    steps.load, steps.search_by_text, steps.search_by_key, steps.large_keys, steps.missed, steps.replay, steps.doubtful,
    steps.keyboard, steps.sliders, steps.filtered, steps.address, steps.nonsense_address,
    accessibility.names, accessibility.tab_key, accessibility.announced, accessibility.narrow,
    accessibility.contrast,
    troubles.ports, troubles.ended, troubles.replaced, troubles.demo,
]


class Test:
    """What all steps share: the browser, and a page on rows with texts."""

    def __init__(self, vex, folder, browser, shots):
        self.vex, self.folder, self.browser, self.shots = vex, folder, browser, shots
        self.origins = []
        self.rows = Rows(seed=1)
        self.rows.write(folder, "rows")
        build(vex, folder, "rows", "sq8")
        self.server = self.serve("rows.vex", "--texts", "rows.txt")

    def serve(self, index, *options, port=0):
        paths = [word if word.startswith("-") else os.path.join(self.folder, word) for word in [index, *options]]
        server = Server(self.vex, "explore", *paths, "--port", str(port), folder=self.folder)
        self.origins.append(server.url)
        return server

    def run(self, step):
        """Runs a step. Answers whether it held, and prints why not."""
        began = time.monotonic()
        name = step.__name__.replace("_", " ")
        self.browser.width(1_280)
        self.browser.scheme("light")
        try:
            step(self)
            self.judge_logs(getattr(step, "refusals", 0))
        except Exception as error:
            # What was logged so far is not the next step's.
            self.browser.log("browser")
            self.browser.log("performance")
            print(f"FAILED {name}: {step.__doc__}\n       {type(error).__name__}: {error}", flush=True)
            return False
        print(f"ok     {name} ({time.monotonic() - began:.1f} s): {step.__doc__}", flush=True)
        return True

    def judge_logs(self, refusals):
        """No error on the console but refusals that the step asked for, and no request elsewhere."""
        logged = self.browser.log("browser")
        errors = [entry["message"] for entry in logged if entry["level"] in ("SEVERE", "WARNING")]
        asked = [error for error in errors if "Failed to load resource" in error][:refusals]
        if errors := [error for error in errors if error not in asked]:
            raise AssertionError(f"errors on the console: {errors}")
        for url in self.browser.requests():
            # Addresses of other kinds are those of the browser's own pages.
            if re.match("(http|ws)s?:", url) and not url.startswith(tuple(self.origins)):
                raise AssertionError(f"the page asked elsewhere: {url}")

    def shoot(self, name, page):
        """Pictures of what is shown: wide and narrow, light and dark."""
        if self.shots:
            for scheme in ["light", "dark"]:
                for width in [1_280, 360]:
                    self.browser.scheme(scheme)
                    self.browser.width(width)
                    self.browser.shoot(os.path.join(self.shots, f"{name}-{scheme}-{width}.png"))


def pictures(test):
    """What the page shows at the start, within a search, and with a filter."""
    page = Page(test.browser, test.server.url)
    test.shoot("start", page)
    page.pick("day 17 in")
    page.press("Home", *["PageDown"] * 12)
    test.shoot("within", page)
    page.slide("every", 2)
    page.click("back-hop")
    test.shoot("filter", page)
    page = Page(test.browser, test.server.url + "#key=17&k=3&ef=3&step=0")
    test.shoot("short", page)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vex", help="the command, such as target/debug/vex")
    parser.add_argument("--only", metavar="WORD", default="", help="only steps whose names contain this word")
    parser.add_argument("--shots", metavar="FOLDER", help="save pictures of the page to this folder")
    args = parser.parse_args()
    for name, found in [("chromedriver", shutil.which("chromedriver")), ("Chromium or Chrome", browser())]:
        if not found:
            sys.exit(f"error: expected {name}, found none")
    if not os.path.isfile(args.vex):
        sys.exit(f"error: {args.vex}: no such file")
    # What is begun is ended, also if the test itself is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    wanted = [pictures] * bool(args.shots) + STEPS
    chosen = [step for step in wanted if args.only in step.__name__.replace("_", " ")]
    with tempfile.TemporaryDirectory(prefix="vex-browser-") as folder, Browser(folder) as driven:
        test = Test(os.path.abspath(args.vex), folder, driven, args.shots)
        try:
            failed = [step for step in chosen if not test.run(step)]
        finally:
            test.server.end()
    if failed:
        sys.exit(f"{len(failed)} of {len(chosen)} steps failed")
    print(f"all {len(chosen)} steps hold")


if __name__ == "__main__":
    main()
