"""A real browser without a window, told what to do over the DevTools protocol."""

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

ARGUMENTS = (
    "--headless", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-default-browser-check", "--hide-scrollbars",
    "--proxy-server=127.0.0.1:9", "--remote-debugging-port=0",
)
"""Nothing may leave the machine: what is not a file goes to a port where nobody listens."""


class Browser:
    """One tab. ``complaints`` are words on the console, exceptions, refusals by the CSP and dialogues; ``asked`` all requests."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._size = 1280, 900, False
        self._session: str | None = None
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._loaded = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """One command and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv(timeout=120))
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._heard(answer)

    def _heard(self, event: dict[str, Any]) -> None:
        said = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded += 1
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception {said['exceptionDetails']}")
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console {said['type']} {said['args']}")
            case "Log.entryAdded":
                self.complaints.append(f"log {said['entry']['level']} {said['entry']['text']}")
            case "Audits.issueAdded" if "NavigationEntryMarkedSkippable" not in str(said):  # a test that clicks is no user
                self.complaints.append(f"issue {said['issue']}")
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialogue {said['message']}")
                self._socket.send(json.dumps({
                    "id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}, "sessionId": self._session,
                }))
            case "Network.requestWillBeSent":
                self.asked.append(said["request"]["url"])

    def open(self, url: str, *, settle: bool = True) -> None:
        """Go there, and wait until it is loaded; a tab that is there already first leaves (a fragment alone loads nothing)."""
        for place in ("about:blank", url):
            before = self._loaded
            self.call("Page.navigate", url=place)
            while self._loaded == before:
                self._heard(json.loads(self._socket.recv(timeout=120)))
        if settle:
            self.settle()

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression, of a promise what it holds."""
        done = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def settle(self) -> None:
        """Wait until what was asked for has been painted, and what the page does when it is idle is done.

        A tab without anything to paint may have no idle time and no frames: then 10 s are enough.
        """
        self.run(
            "new Promise(done => { setTimeout(done, 10000);"
            " requestIdleCallback(() => requestAnimationFrame(() => requestAnimationFrame(done)), {timeout: 5000}); })"
        )

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """Set that of the window, in CSS pixels."""
        self._size = width, height, phone
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def look(self, *, medium: str = "", scheme: str = "light") -> None:
        """``medium="print"`` and the colour scheme that the user prefers."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def press(self, key: str, code: int = 0) -> None:
        """One key, down and up."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def picture(self, place: Path, *, whole: bool = False) -> None:
        """A PNG of what is in view; of the whole page in a window as tall as it, up to 6,000 pixels."""
        width, height, phone = self._size
        if whole:
            self.size(width, min(int(self.call("Page.getLayoutMetrics")["cssContentSize"]["height"]), 6000), phone=phone)
            self.settle()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        self.size(width, height, phone=phone)

    def paper(self, place: Path) -> int:
        """The page as PDF; the number of its sheets."""
        octets = base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(octets)
        return len(re.findall(rb"/Type\s*/Page\b", octets))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Chromium with a profile of its own; ended by its pid."""
    profile.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(
            ["chromium", *ARGUMENTS, *sandbox, f"--user-data-dir={profile}", "about:blank"], stdout=log, stderr=log,
        )
    try:
        with connect(_address(profile, process), max_size=None, compression=None, open_timeout=30) as socket:
            one = Browser(socket)
            yield one
            one._session = None
            socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
            process.wait(20)
    finally:
        process.kill()
        process.wait()


def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    """Where it listens: it writes that into its profile once it does."""
    place, until = profile / "DevToolsActivePort", time.monotonic() + 60
    while time.monotonic() < until:
        lines = place.read_text().splitlines() if place.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        assert process.poll() is None, (profile / "log").read_text(errors="replace")
        time.sleep(0.05)
    raise AssertionError((profile / "log").read_text(errors="replace"))
