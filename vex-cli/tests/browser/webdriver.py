"""A browser, driven over the WebDriver protocol: HTTP and JSON, by the standard library alone."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

# An element is sent as an object with this one name.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Space": " ", "PageUp": "\ue00e", "PageDown": "\ue00f", "End": "\ue010",
    "Home": "\ue011", "ArrowLeft": "\ue012", "ArrowRight": "\ue014",
}
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# A proxy of the environment must not be asked for this machine.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def browser():
    """The path of a browser, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class WebDriverError(Exception):
    """The browser refused a command."""


def ask(method, url, body=None, timeout=30):
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with DIRECT.open(request, timeout=timeout) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Browser:
    """A headless browser with a folder of its own, which ends with the `with` block."""

    def __init__(self, folder):
        self.folder = folder
        self.session = None
        self.pid = None

    def __enter__(self):
        log = open(os.path.join(self.folder, "chromedriver.log"), "wb")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        for line in self.driver.stdout:
            if started := re.search(r"started successfully on port (\d+)", line):
                break
        else:
            raise WebDriverError("chromedriver did not start")
        self.root = f"http://127.0.0.1:{started[1]}"
        options = {
            "binary": browser(),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update", "--window-size=1280,1000",
                "--user-data-dir=" + os.path.join(self.folder, "profile"),
            ],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        status, answer = ask("POST", self.root + "/session", {"capabilities": {"alwaysMatch": wanted}}, 60)
        if status != 200:
            raise WebDriverError(answer["value"]["message"])
        self.pid = answer["value"]["capabilities"].get("goog:processID")
        self.session = f"{self.root}/session/{answer['value']['sessionId']}"

    def __exit__(self, *_):
        try:
            if self.session:
                ask("DELETE", self.session, timeout=10)
        except OSError:
            # A browser that does not end by itself is ended.
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
        finally:
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.wait()

    def command(self, method, path, body=None):
        status, answer = ask(method, self.session + path, {} if method == "POST" and body is None else body)
        if status != 200:
            raise WebDriverError(answer["value"]["message"].splitlines()[0])
        return answer["value"]

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def run(self, script, *args):
        """What a script returns. Its arguments are `arguments[0]` and so on."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(args)})

    def elements(self, selector):
        found = self.command("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def element(self, selector):
        found = self.command("POST", "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        self.command("POST", f"/element/{self.element(selector)}/click")

    def type(self, selector, text):
        element = self.element(selector)
        self.command("POST", f"/element/{element}/clear")
        self.command("POST", f"/element/{element}/value", {"text": text})

    def press(self, *keys):
        """Presses keys where the focus is."""
        codes = [KEYS[key] for key in keys]
        actions = [{"type": kind, "value": code} for code in codes for kind in ("keyDown", "keyUp")]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def focus(self, selector):
        self.run("document.querySelector(arguments[0]).focus()", selector)

    def label(self, element):
        """The name by which a screen reader knows an element."""
        return self.command("GET", f"/element/{element}/computedlabel")

    def role(self, element):
        return self.command("GET", f"/element/{element}/computedrole")

    def log(self, kind):
        """What was logged since the last time."""
        return self.command("POST", "/se/log", {"type": kind})

    def requests(self):
        """The addresses that pages asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [message["params"]["request"]["url"] for message in sent]

    def shoot(self, path):
        """Saves a picture of the whole page."""
        picture = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))

    def devtools(self, command, **params):
        return self.command("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def width(self, pixels):
        """As wide as a telephone, for example: narrower than a window can be."""
        size = {"width": pixels, "height": 1_000, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)

    def scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
