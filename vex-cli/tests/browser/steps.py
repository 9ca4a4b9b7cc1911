"""What the page does: rows, results, the replay, the sliders, the filter and the address."""

import os

from explored import COUNT, SEASONS, Rows, build
from page import Page, check, figures, key_of, same, same_answers
from webdriver import ask


def load(test):
    """The page opens, with its title, its landmarks and the facts of the index."""
    page = Page(test.browser, test.server.url)
    same(test.browser.run("return document.title"), "Vex: explore an index", "title")
    about = test.browser.run("return document.querySelector('header').innerText")
    for words in ["rows.vex", f"{COUNT:,} vectors", "sq8 codes", "squared-euclidean"]:
        check(words in about, f"the head of the page lacks {words!r}: {about!r}")
    for selector, role in [("header", "banner"), ("main", "main"), ("h1", "heading")]:
        same(test.browser.role(test.browser.element(selector)), role, f"role of {selector}")
    regions = [test.browser.label(region) for region in test.browser.elements("main > section")]
    check(len(regions) == 3 and all(regions), f"three regions with names, found {regions}")
    shown = page.see()
    check(shown["hits"], "a first search is shown")
    same(shown["notice"], "", "notice")


def search_by_text(test):
    """Words list the rows that contain them, and a picked row has the answer of brute force."""
    page = Page(test.browser, test.server.url)
    listed = page.find("in winter")
    check(len(set(listed) & set(test.rows.texts)) == 50, f"50 rows in winter are listed, found {listed}")
    test.browser.type("#find", "no such words")
    same(page.see()["rows"], ["nothing found"], "rows without a match")
    for key in [17, 1_234, COUNT - 1]:
        shown = page.pick(f"day {key} in {SEASONS[key % 4]}")
        check(shown["query"].endswith(test.rows.texts[key]), f"the picked row is named: {shown['query']!r}")
        for name in ["hits", "exact"]:
            same_answers(shown, name, test.rows.nearest(key, 10))
        same(shown["recall"], "Found 10 of the 10 nearest rows.", "recall")


def search_by_key(test):
    """Rows without a text are listed and named by key, and digits list the keys that begin with them."""
    # A line with nothing but blanks is no name.
    with open(os.path.join(test.folder, "blank.txt"), "w", encoding="utf-8") as file:
        file.write("\n \n" * (COUNT // 4))
    with test.serve("rows.vex", "--texts", "blank.txt") as server:
        page = Page(test.browser, server.url)
        test.browser.type("#find", "77")
        expected = [f"key {key}" for key in range(COUNT) if str(key).startswith("77")]
        same(sorted(page.see()["rows"]), sorted(expected), "the keys that begin with 77")
        same(page.see()["rows"][0], "key 77", "the first row for its key")
        test.browser.type("#find", "1777")
        same(page.see()["rows"], ["key 1777"], "the key that begins with 1777")
        shown = page.click("rows button")
        same_answers(shown, "hits", test.rows.nearest(1_777, 10))


def large_keys(test):
    """Keys beyond the numbers of JavaScript are shown, found and filtered as they are."""
    first, rows = 2**63 + 1, Rows(seed=4, count=300)
    rows.write(test.folder, "large")
    with open(os.path.join(test.folder, "keys.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{first + row}\n" for row in range(300))
    build(test.vex, test.folder, "large", "none", "large.vex", "--keys", "keys.txt")
    with test.serve("large.vex") as server:
        page = Page(test.browser, server.url)
        shown = page.pick(str(first + 100))
        same(shown["query"], f"Searched for: key {first + 100}", "the row searched for")
        same_answers(shown, "hits", [(first + row, distance) for row, distance in rows.nearest(100, 10)])
        shown = page.slide("every", 3)
        found = [(first + row, distance) for row, distance in rows.nearest(100, 300) if (first + row) % 3 == 0]
        same_answers(shown, "hits", found[:10])
        drawn = [key_of(title) for title, kind in shown["dots"] if kind == "refused"]
        check(all(key % 3 for key in drawn), f"a match is drawn as refused: {drawn}")


def missed(test):
    """What a short list misses is marked on both sides, and counted."""
    for key in range(COUNT):
        query = f"key={key}&k=4&ef=4&codes=1&every=1"
        trace = ask("GET", f"{test.server.url}search?{query}")[1]["trace"]
        hits, exact = ([int(row["key"]) for row in trace[name]] for name in ["hits", "exact"])
        if hits != exact:
            break
    else:
        raise AssertionError("no search of so few candidates misses a row: the test needs other rows")
    shown = Page(test.browser, f"{test.server.url}#{query}").see()
    same(key_of(shown["query"]), key, "the key in the address, and the row searched for")
    same_answers(shown, "exact", test.rows.nearest(key, 4))
    lost = [text for text in shown["exact"] if " (missed) " in text]
    same([key_of(text) for text in lost], [key for key in exact if key not in hits], "rows marked as missed")
    wrong = [text for text in shown["hits"] if " (not among the nearest) " in text]
    same([key_of(text) for text in wrong], [key for key in hits if key not in exact], "rows marked as farther")
    same(figures(shown["recall"]), [4 - len(lost), 4], "recall")


def replay(test):
    """The buttons replay the search: by steps, by hops, to the end and back."""
    page = Page(test.browser, test.server.url)
    end = page.pick("day 17 in")
    steps, total, hops, distances = figures(end["count"])
    same(steps, total, "steps at the end")
    same(figures(end["stats"])[:2], [distances, hops], "distances and hops of the search, beside those of its steps")
    start = page.click("first")
    same((figures(start["count"]), start["list"]), ([0, total, 0, 0], []), "counts and list before the first step")
    shown = page.click("next")
    same(figures(shown["count"])[:2], [1, total], "counts after a step")
    check(len(shown["list"]) == 1 and shown["now"] != start["now"], "the first step ranks the entry point")
    seen = [shown]
    for hop in range(1, hops + 1):
        shown = page.click("next-hop")
        same(figures(shown["count"])[2], hop, "hops after as many presses of 'next hop'")
        check(f"Hop {hop} " in shown["now"], f"hop {hop} is announced: {shown['now']!r}")
        # Two levels can begin with the same node alone.
        check(any(shown[part] != seen[-1][part] for part in ["list", "phase"]), f"hop {hop} changes the list")
        ordered = [float(row[1]) for row in shown["list"]]
        same(ordered, sorted(ordered), "the list by distance")
        check(figures(shown["count"])[3] >= figures(seen[-1]["count"])[3], "no distance is lost")
        seen.append(shown)
    # Each hop of the descent and of the base is drawn as it is counted.
    check(len(seen[-1]["dots"]) > len(seen[1]["dots"]), "more nodes are drawn in the end")
    same(page.click("back-hop")["count"], seen[-2]["count"], "one hop back")
    same(page.click("last"), end, "what the end shows")
    same(figures(page.click("back")["count"])[:2], [total - 1, total], "one step back")
    same(page.click("next"), end, "what the end shows after a step back and one on")
    same(page.click("next"), end, "a step beyond the end")
    same(page.click("first"), start, "the start once more")
    same(page.click("back"), start, "a step before the start")
    # Browsers complain of an address that changes with each of so many steps.
    same(figures(page.press(*["ArrowRight"] * 230)["count"])[0], 230, "steps in quick succession")
    page.click("first")
    shown = page.click("play")
    page.wait(lambda: figures(page.see()["count"])[0] > 3, "playing does not advance")
    stopped = page.click("play")
    test.browser.run("return new Promise(done => setTimeout(done, 200))")
    same(page.see(), stopped, "what a stopped replay shows")


def doubtful(test):
    """A search that codes left in doubt is replayed with its second part, by vectors."""
    rows = Rows(seed=3, count=2_000, tight=True)
    rows.write(test.folder, "tight")
    build(test.vex, test.folder, "tight", "sq4", output="tight.vex")
    with test.serve("tight.vex", "--texts", "tight.txt") as server:
        page = Page(test.browser, server.url)
        end = page.pick("day 3 in")
        check("repeated by vectors" in end["stats"], f"codes leave the search in doubt: {end['stats']!r}")
        same(end["phase"], "(base, distances by vectors)", "what the list is at the end")
        same(figures(end["stats"])[:2], figures(end["count"])[:1:-1], "distances and hops of both parts")
        # They are a millionth of those between clusters, and shown as different.
        for name in ["hits", "exact"]:
            same_answers(end, name, rows.nearest(3, 10))
        check(len({text.split()[0] for text in end["hits"]}) == 10, f"ten distances, found {end['hits']}")
        page.click("first")
        check("by codes" in page.click("next-hop")["phase"], "the first part goes by codes")


def keyboard(test):
    """The keys that the page names do what the buttons do."""
    page = Page(test.browser, test.server.url)
    end = page.pick("day 17 in")
    total, hops = figures(end["count"])[1:3]
    buttons = "document.querySelectorAll('.controls button')"
    named = dict(test.browser.run(f"return [...{buttons}].map(one => [one.id, one.getAttribute('aria-keyshortcuts')])"))
    check(len(named) == 7 and all(named.values()), f"each button names its key: {named}")
    chosen = "first next next next-hop next-hop back back-hop last back back-hop next last".split()
    clicked = [page.click(button) for button in chosen]
    test.browser.run("document.activeElement.blur()")
    pressed = [page.press(named[button]) for button in chosen]
    for at, button in enumerate(chosen):
        check(at == 0 or clicked[at]["count"] != clicked[at - 1]["count"], f"the button {button!r} does nothing")
        same(pressed[at], clicked[at], f"the key {named[button]} beside the button {button!r}")
    page.press("End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Space")
    page.wait(lambda: page.see()["count"] == end["count"], "the space bar does not play to the end")
    test.browser.focus("#step")
    same(figures(page.press("Home")["count"])[0], 0, "Home on the slider of steps")
    same(figures(page.press("ArrowRight", "ArrowRight")["count"])[0], 2, "two steps on the slider of steps")
    check(figures(page.press("PageDown")["count"])[2] <= hops, "a page on the slider of steps")
    # In the field of words, keys edit words.
    test.browser.focus("#find")
    before = page.see()
    same(page.press("End", "ArrowLeft", "Home")["count"], before["count"], "keys in the field of words")
    same(total, figures(before["count"])[1], "steps of the search")


def sliders(test):
    """k, ef_search and codes change what is shown as parameters and as results."""
    page = Page(test.browser, test.server.url)
    page.pick("day 321 in")
    for k in [3, 25]:
        shown = page.slide("k", k)
        same(figures(shown["k"]), [k], "k beside its slider")
        for name in ["hits", "exact"]:
            same_answers(shown, name, test.rows.nearest(321, k))
    page.slide("k", 5)
    counts = []
    for ef in [5, 40, 90]:
        shown = page.slide("ef", ef)
        same(figures(shown["ef"]), [ef], "ef_search beside its slider")
        same(len(shown["hits"]), 5, "rows found")
        counts.append(figures(shown["stats"])[:2])
    check(counts[0] < counts[1] < counts[2], f"longer lists take more distances: {counts}")
    shown = page.slide("ef", 2)
    same(figures(shown["ef"]), [2, 5], "a list shorter than k, and what it is raised to")
    shown = page.slide("ef", 40)
    check(shown["codes"], "a search goes through codes at first")
    check(figures(shown["stats"])[2] >= 5, f"through codes, results are reranked: {shown['stats']}")
    shown = page.click("codes")
    same((shown["codes"], figures(shown["stats"])[2]), (False, 0), "codes, and candidates reranked without them")
    same_answers(shown, "hits", test.rows.nearest(321, 5))


def filtered(test):
    """A filter shows the nodes that it refuses, and finds no other than its matches."""
    page = Page(test.browser, test.server.url)
    page.pick("day 700 in")
    # A search with few matches for the length of its list is a scan, which ranks matches alone.
    free = page.slide("ef", 20)
    check(not any(kind == "refused" for _, kind in free["dots"]), "without a filter, no node is refused")
    for every in [2, 3, 7, 40]:
        shown = page.slide("every", every)
        same(figures(shown["filter"]), [every], "the filter beside its slider")
        for name in ["hits", "exact"]:
            same_answers(shown, name, test.rows.nearest(700, 10, every))
        drawn = [key_of(title) for title, kind in shown["dots"] if kind == "refused"]
        check(all(key % every for key in drawn), f"a match is drawn as refused: {drawn}")
        same(bool(drawn), every < 7, f"whether refused nodes are drawn, filter {every}")
        ranked = [key_of(title) for title, kind in shown["dots"] if kind in ("seen", "kept", "hit")]
        check(not any(key % every for key in ranked), f"refused nodes are drawn as matches: {ranked}")
        middle = page.click("back-hop")
        for row in middle["list"]:
            same("refused" in row[2], key_of(row[0]) % every != 0, f"the word beside {row[0]!r}, filter {every}")
    shown = page.slide("every", 1)
    same((shown["hits"], shown["filter"]), (free["hits"], "every key"), "results once the filter is off")


def address(test):
    """A reload shows the same, and so do the browser's back and forward."""
    page = Page(test.browser, test.server.url)
    page.pick("day 40 in")
    page.slide("k", 6)
    page.slide("every", 2)
    page.click("codes")
    page.click("back-hop")
    first = page.press("PageUp", "ArrowLeft")
    step, total = figures(first["count"])[:2]
    check(first["list"] and step < total, "a step within the search")
    page.address()
    test.browser.command("POST", "/refresh")
    same(page.see(), first, "what is shown after a reload")
    page.find("day 41 in")
    before = page.see(), page.address()
    after = page.click("rows button"), page.address()
    check(after[0]["query"] != before[0]["query"] and after[1] != before[1], "another row is shown")
    for command, (expected, hash) in [("back", before), ("forward", after), ("back", before)]:
        test.browser.command("POST", "/" + command)
        page.wait(lambda: page.see()["query"] == expected["query"], f"{command!r} does nothing")
        same(page.see(), expected, f"what {command!r} shows")
        same(page.address(), hash, f"address after {command!r}")


def nonsense_address(test):
    """An address that nobody can follow is answered in words."""
    page = Page(test.browser, f"{test.server.url}#key={COUNT}")
    same(page.notice(), f"expected a key of the index, found {COUNT}", "notice")
    for button in ["first", "next", "next-hop", "play"]:
        page.click(button)
    page.press("End", "PageDown", "Space")
    shown = page.pick("day 5 in")
    same((shown["notice"], len(shown["hits"])), ("", 10), "notice and results of the next search")
    shown = Page(test.browser, f"{test.server.url}#key=3&step=x&k=-4&ef=many&every=1e9").see()
    same(figures(shown["count"])[0], 0, "a step that is no number")
    same(figures(shown["k"]) + figures(shown["filter"]), [1, 50], "k and filter, as near as possible")


# The server's refusal of the first address is logged as an error.
nonsense_address.refusals = 1
