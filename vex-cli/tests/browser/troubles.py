"""Ports that cannot be used, a server that ends, an index that is replaced, and the demo."""

import os
import subprocess

from explored import Rows, Server, build
from accessibility import OVERFLOWING
from page import Page, check, figures, same, same_answers


def ports(test):
    """A port in use is an error that names it, and a number that is no port is refused."""
    def explore(port):
        command = [test.vex, "explore", "rows.vex", "--port", str(port)]
        return subprocess.run(command, cwd=test.folder, capture_output=True, text=True, timeout=20)

    used = explore(test.server.port)
    same((used.returncode, used.stdout), (1, ""), "exit code and output for a port in use")
    check(f"error: port {test.server.port}: " in used.stderr, f"the error names the port: {used.stderr!r}")
    for port in [65_536, -1, "http"]:
        refused = explore(port)
        same(refused.returncode, 2, f"exit code for the port {port}")
        check(str(port).lstrip("-") in refused.stderr, f"the error names {port}: {refused.stderr!r}")


def ended(test):
    """Once the server has ended, the page says so, and goes on after it was started again."""
    server = test.serve("rows.vex", "--texts", "rows.txt")
    try:
        page = Page(test.browser, server.url)
        before = page.pick("day 60 in")
        server.end()
        for act, on, what in [(page.slide, "k", 4), (page.click, "rows button", None), (test.browser.type, "#find", "words")]:
            test.browser.run("document.getElementById('notice').textContent = ''")
            act(on, what) if what else act(on)
            said = page.see()["notice"]
            check("does not answer" in said and "vex explore" in said, f"{on}, once the server has ended: {said!r}")
        # The last search can still be replayed.
        same(page.click("first")["list"], [], "the list before the first step")
        server = test.serve("rows.vex", "--texts", "rows.txt", port=server.port)
        page.slide("k", 10)
        page.wait(lambda: not page.notice(), "the notice stays")
        page.pick("day 60 in")
        same(page.click("last")["hits"], before["hits"], "results after the server was started again")
    finally:
        server.end()


# A browser logs each request that fails.
ended.refusals = 100


def replaced(test):
    """A page goes on with the index that it was opened on, and says that the file was replaced."""
    other = Rows(seed=2)
    os.rename(os.path.join(test.folder, "rows.vex"), os.path.join(test.folder, "kept.vex"))
    test.rows.write(test.folder, "rows")
    build(test.vex, test.folder, "rows", "sq8")
    server = test.serve("rows.vex", "--texts", "rows.txt")
    try:
        page = Page(test.browser, server.url)
        same(page.pick("day 80 in")["notice"], "", "the notice at first")
        other.write(test.folder, "other")
        build(test.vex, test.folder, "other", "sq8")
        shown = page.slide("k", 7)
        check("was replaced" in shown["notice"], f"the notice of a replaced file: {shown['notice']!r}")
        for name in ["hits", "exact"]:
            same_answers(shown, name, test.rows.nearest(80, 7))
        server.end()
        server = test.serve("rows.vex", "--texts", "rows.txt", port=server.port)
        # The page of the old index loads itself again, and then shows the new one.
        page.slide("k", 8)
        page.wait(lambda: not page.notice(), "the notice stays")
        shown = page.pick("day 80 in")
        for name in ["hits", "exact"]:
            same_answers(shown, name, other.nearest(80, figures(shown["k"])[0]))
    finally:
        server.end()


def demo(test):
    """The demo opens the page on its definitions."""
    with Server(test.vex, "demo", "--explore", "--port", "0", folder=test.folder) as server:
        test.origins.append(server.url)
        page = Page(test.browser, server.url)
        listed = page.find("penguin")
        check(listed, "no definition of a penguin")
        shown = page.click("rows button")
        check(listed[0] in shown["hits"][0], f"{listed[0]!r} is nearest to itself, found {shown['hits'][0]!r}")
        found, wanted = figures(shown["recall"])
        check(wanted == 10 and found >= 9, f"nearly all are found: {shown['recall']!r}")
        same(figures(shown["count"])[2:], figures(shown["stats"])[1::-1], "hops and distances of the replay")
        test.browser.width(360)
        found = test.browser.run(OVERFLOWING)
        check(not found, f"with long texts these overflow: {found}")
        test.shoot("demo", page)
