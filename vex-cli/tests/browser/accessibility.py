"""Whether everyone can use the page: names, keys, announcements, narrow screens and contrast."""

from page import Page, check, same
from webdriver import ELEMENT

CONTROLS = "button, input, [tabindex]"

# What is wider than its place, and what scrolls sideways.
OVERFLOWING = """
const width = document.documentElement.clientWidth, found = [];
if (document.documentElement.scrollWidth > width) found.push("the page itself");
for (const element of document.querySelectorAll("body *:not(circle)")) {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const outside = box.right > width + 0.5 || box.left < -0.5;
  const cut = style.overflowX !== "hidden" && element.clientWidth && element.scrollWidth > element.clientWidth + 1;
  if (box.width && (outside || cut)) found.push(`${element.tagName} #${element.id}: ${element.textContent.trim().slice(0, 40)}`);
}
return found;
"""

# The contrast of each text with what is behind it, by the formula of WCAG 2.
CONTRASTS = """
const between = (one, other) => {
  const [a, b] = [light(one), light(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
const channels = color => color.match(/[\\d.]+/g).map(Number);
const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = color => {
  const [r, g, b] = channels(color).map(value => linear(value / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (channels(color)[3] !== 0) return color;
  }
  return "rgb(255, 255, 255)";
};
const texts = [...document.querySelectorAll("body *")].filter(element =>
  !element.closest("svg, script") && element.getClientRects().length
  && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
// A ring has the color of its border.
const color = style => channels(style.borderTopColor)[3] === 0 ? style.backgroundColor : style.borderTopColor;
const plot = document.getElementById("plot");
const text = one => [one.textContent.trim().slice(0, 40), between(getComputedStyle(one).color, behind(one))];
const dot = one => [one.className, between(color(getComputedStyle(one)), behind(plot))];
return { texts: texts.map(text), dots: [...document.querySelectorAll(".legend i")].map(dot) };
"""


def names(test):
    """Every control has a name, and no two have the same."""
    page = Page(test.browser, test.server.url)
    page.pick("day 9 in")
    found = {}
    for element in test.browser.elements(CONTROLS + ", svg"):
        shown = test.browser.run("return arguments[0].outerHTML.slice(0, 80)", {ELEMENT: element})
        label = test.browser.label(element)
        check(label, f"no accessible name: {shown}")
        check(label not in found, f"the name {label!r} of {found.get(label)} and {shown}")
        found[label] = shown
    check(len(found) > 15, f"controls of the page, found {list(found)}")


def tab_key(test):
    """Each control is reached by the Tab key, and is marked once it is."""
    Page(test.browser, test.server.url + "#find=day+9+in")
    name = "const name = one => one.id || one.className || one.textContent;"
    all_controls = "[...document.querySelectorAll(arguments[0])].filter(one => one.getClientRects().length)"
    controls = test.browser.run(f"{name} return {all_controls}.map(name)", CONTROLS)
    reached = []
    focused = f"{name} const one = document.activeElement; return [name(one), getComputedStyle(one).outlineStyle]"
    for _ in range(len(controls) + 1):
        test.browser.press("Tab")
        one, outline = test.browser.run(focused)
        if one in reached or one not in controls:
            break
        check(outline != "none", f"nothing marks {one!r} once the Tab key has reached it")
        reached.append(one)
    same(sorted(reached), sorted(controls), "controls that the Tab key reaches")


def announced(test):
    """A step is announced, a notice at once, and a replay that plays does not talk."""
    page = Page(test.browser, test.server.url)
    page.pick("day 9 in")
    live = "return document.getElementById('now').getAttribute('aria-live')"
    same(test.browser.run(live), "polite", "aria-live of the text of a step")
    before = page.click("first")["now"]
    check(page.click("next")["now"] != before, "a step changes the text that is announced")
    page.click("play")
    same(test.browser.run(live), "off", "aria-live while playing")
    page.click("play")
    same(test.browser.run(live), "polite", "aria-live after playing")
    same(test.browser.role(test.browser.element("#notice")), "alert", "role of the notice")


def narrow(test):
    """At the width of a telephone, nothing is wider than the page."""
    page = Page(test.browser, test.server.url)
    for width in [360, 700, 1_001, 1_280]:
        test.browser.width(width)
        page.pick("day 9 in")
        page.slide("every", 2)
        page.click("back-hop")
        found = test.browser.run(OVERFLOWING)
        check(not found, f"at {width} pixels these overflow: {found}")
        page.slide("every", 1)


def contrast(test):
    """Texts are readable, light and dark: a contrast of at least 4.5, and 3 for the dots."""
    for scheme in ["light", "dark"]:
        test.browser.scheme(scheme)
        # So few candidates that some rows are missed, which has a color of its own.
        page = Page(test.browser, f"{test.server.url}#key=3&k=20&ef=20&every=3")
        page.press("PageUp")
        test.browser.run("document.getElementById('notice').textContent = 'A notice.'")
        test.browser.run("document.getElementById('exact').lastChild.className = 'missed'")
        found = test.browser.run(CONTRASTS)
        check(len(found["texts"]) > 60 and len(found["dots"]) == 5, f"texts and dots, found {found}")
        least = [(*text, 4.5) for text in found["texts"]] + [(*dot, 3) for dot in found["dots"]]
        faint = [f"{text!r} has {ratio:.2f}" for text, ratio, enough in least if ratio < enough]
        check(not faint, f"{scheme}: too little contrast: {faint}")
        back = test.browser.run("return getComputedStyle(document.body).backgroundColor")
        same(back == "rgb(255, 255, 255)", scheme == "light", f"{scheme}: whether the page is white ({back})")
