"""The page of `vex explore`, as someone who uses it sees it."""

import json
import re
import time

# All that is shown. Nothing reads the page's own variables.
SNAPSHOT = """
const text = id => document.getElementById(id).textContent.trim();
const items = id => [...document.getElementById(id).children].map(item => item.textContent);
return {
  find: document.getElementById("find").value,
  query: text("query"), k: text("k-out"), ef: text("ef-out"), filter: text("every-out"),
  codes: document.getElementById("codes").checked, count: text("count"), now: text("now"), rows: items("rows"),
  current: [...document.querySelectorAll("#rows [aria-current=true]")].map(row => row.textContent),
  list: [...document.querySelectorAll("#list tr")].map(row => [...row.cells].map(cell => cell.textContent)),
  phase: text("phase"), hits: items("hits"), exact: items("exact"), recall: text("recall"),
  stats: text("stats"), notice: text("notice"),
  dots: [...document.querySelectorAll("#plot circle")].map(dot => [dot.textContent, dot.getAttribute("class")]),
};
"""

# All that was asked is answered.
SETTLED = "return document.querySelector('main[aria-busy=false]') && !document.querySelector('[aria-busy=true]')"
# The address is that of what is shown.
KEPT = """
const value = id => document.getElementById(id).value, words = new URLSearchParams(location.hash.slice(1));
return ["step", "k", "ef", "every", "find"].every(name => (words.get(name) ?? "") === value(name)) && location.hash;
"""


def check(holds, message):
    if not holds:
        raise AssertionError(message)


def same(found, expected, what):
    if isinstance(found, dict):
        # Of two views of the page, the parts that differ.
        parts = [part for part in expected if found[part] != expected[part]]
        found, expected = ({part: str(view[part])[:200] for part in parts} for view in (found, expected))
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def key_of(text):
    """The key of a row that is shown by the text `day 17 in spring`, or as `key 17`."""
    return int(re.search(r"day (\d+) in|key (\d+)", text).expand(r"\1\2"))


def figures(text):
    """The figures of a text, in their order."""
    return [int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", text)]


class Page:
    def __init__(self, browser, url):
        self.browser = browser
        self.url = url
        # A page that has another hash alone would not be loaded again.
        self.browser.open("about:blank")
        self.browser.open(url)
        self.settle()

    def wait(self, holds, message, seconds=10):
        """Until something holds. Answers what it gave."""
        until = time.monotonic() + seconds
        while not (found := holds()):
            check(time.monotonic() < until, f"{message}, not within {seconds} s; the page shows {self.short()}")
            time.sleep(0.02)
        return found

    def settle(self):
        """Until the page has shown the answer to what was done last, or a problem."""
        self.wait(lambda: self.browser.run(SETTLED), "the page is busy")

    def see(self):
        self.settle()
        return self.browser.run(SNAPSHOT)

    def address(self):
        """The address, once it says what is shown."""
        self.settle()
        return self.wait(lambda: self.browser.run(KEPT), "the address does not keep what is shown")

    def short(self):
        shown = self.browser.run(SNAPSHOT)
        return json.dumps({name: shown[name] for name in ["query", "k", "ef", "filter", "count", "notice"]})

    def notice(self):
        return self.browser.run("return document.getElementById('notice').textContent")

    def find(self, words):
        """The rows that are listed for some words."""
        self.browser.type("#find", words)
        rows = self.see()["rows"]
        check(all(words in row for row in rows), f"a listed row lacks {words!r}: {rows}")
        return rows

    def pick(self, words):
        """Searches for the one row with these words."""
        rows = self.find(words)
        same(len(rows), 1, f"rows with {words!r}")
        self.browser.click("#rows button")
        return self.see()

    def click(self, name):
        self.browser.click("#" + name)
        return self.see()

    def press(self, *keys):
        self.browser.press(*keys)
        return self.see()

    def slide(self, name, value):
        """Moves a slider by its keys, which begin with the least value."""
        self.browser.focus("#" + name)
        least = int(self.browser.run("return document.getElementById(arguments[0]).min", name))
        self.browser.press("Home", *["ArrowRight"] * (value - least))
        return self.see()


def answers(shown, name):
    """The keys and distances of one of the lists of answers."""
    return [(key_of(text), float(text.split()[0])) for text in shown[name]]


def same_answers(shown, name, expected):
    found = answers(shown, name)
    same([key for key, _ in found], [key for key, _ in expected], f"keys of the list {name!r}")
    for (key, distance), (_, exact) in zip(found, expected):
        # Four decimals are shown, and as many figures of what is smaller than any of them.
        rounded = 1e-3 * exact if exact < 1e-3 else 1e-4 + 1e-5 * exact
        check(abs(distance - exact) <= rounded, f"{name}: key {key} is shown at {distance}, and is at {exact}")
