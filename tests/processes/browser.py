"""A real browser for tests: Debian's headless Chromium, spoken to over a pair of pipes (Chrome DevTools Protocol).

    with Browser(folder) as browser:
        page = browser.open("http://127.0.0.1:8088/", width=390, dark=True)
        page.wait_for("document.querySelector('td')", "a table is there")
        page.screenshot(Path("view.png"))

What a page asked for, how many bytes came, and whatever it complained of (an exception, a refused request or style) is kept.
"""

import base64
import json
import os
import select
import subprocess
import time

from cluster import PATIENCE_SECONDS, die_with_the_test, wait_until

PROGRAM = "chromium-headless-shell"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
         "--disable-dev-shm-usage", "--force-color-profile=srgb", "--remote-debugging-pipe"]
SLOW = 3 * PATIENCE_SECONDS  # a browser begins slowly on a busy machine


class Browser:
    def __init__(self, folder):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        with open(folder / "browser.log", "ab") as log:
            # The browser reads descriptor 3 and writes descriptor 4. pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "browser", PROGRAM, *FLAGS,
                 f"--user-data-dir={folder / 'browser'}", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(commands, answers), preexec_fn=die_with_the_test)
        os.close(commands)
        os.close(answers)
        self.last, self.input, self.answered, self.pages = 0, b"", {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)

    def call(self, method, session=None, **parameters):
        """The answer to a command; events that come meanwhile go to their pages."""
        self.last += 1
        command = {"id": self.last, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + SLOW
        while self.last not in self.answered:
            if time.monotonic() > deadline:
                raise AssertionError(f"the browser did not answer {method} within {SLOW} s")
            self.read(1)
        answer = self.answered.pop(self.last)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def read(self, seconds):
        """Whatever comes within the time."""
        if not select.select([self.answers], [], [], seconds)[0]:
            return
        came = os.read(self.answers, 1 << 20)
        if not came:
            raise AssertionError("the browser ended; what it said is in browser.log")
        *messages, self.input = (self.input + came).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answered[message["id"]] = message
            elif message.get("sessionId") in self.pages:
                self.pages[message["sessionId"]].on_event(message["method"], message["params"])

    def open(self, url, width=1440, height=900, dark=False):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, target, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.size(width, height, dark)
        page.call("Page.navigate", url=url)
        return page


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.requested, self.received, self.complaints = [], 0, []
        browser.pages[session] = self
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def on_event(self, method, event):
        if method == "Network.requestWillBeSent":
            self.requested.append(event["request"]["url"])
        elif method == "Network.dataReceived":
            self.received += event["dataLength"]
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(event["exceptionDetails"].get("exception", event["exceptionDetails"])))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def size(self, width, height, dark):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def ask(self, expression):
        """What a JavaScript expression gives, as JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression, what):
        """Until the expression is true."""
        return wait_until(lambda: self.ask(f"Boolean({expression})"), what, SLOW)

    def text(self, selector="main"):
        return self.ask(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait_for_text(self, text, selector="main"):
        try:
            self.wait_for(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '').includes({json.dumps(text)})",
                          f"{selector} says {text!r}")
        except AssertionError as late:
            raise AssertionError(f"{late}; it says:\n{self.text(selector)}") from late

    def press(self, key):
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def mouse(self, what, x, y):
        """mousePressed or mouseReleased."""
        self.call("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", clickCount=1)

    def drag(self, start, end, y):
        """From one x to another, at a height."""
        self.move(start, y)
        self.mouse("mousePressed", start, y)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=(start + end) / 2, y=y, button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=end, y=y, button="left", buttons=1)
        self.mouse("mouseReleased", end, y)

    def screenshot(self, path, whole=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(picture))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
