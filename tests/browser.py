"""A JupyterLab on this machine alone, and a page of the system's Chromium in it: for the tests and the benchmarks.

Of Firefox there is only what needs no driver: a page that runs a script and sends back what it gives.
"""

import contextlib
import functools
import http.server
import json
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Run on an element with an explorer in it: from then on the page counts in `log` what each of its frames shows, until
# `log.ended` is set.
WATCH = """output => {
  const log = window.log = { key: 0, shown: 0, pictures: 0, blank: 0, frames: 0, tops: new Set(), heights: new Set() };
  addEventListener("keydown", () => { log.key = performance.now(); }, true);
  let source, last;
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = img => {
    canvas.width = img.naturalWidth; canvas.height = img.naturalHeight;
    pen.drawImage(img, 0, 0);
    return pen.getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, x, i) => (sum * 31 + x + i) | 0, 7);
  };
  const frame = () => {
    const img = output.querySelector("img");
    log.frames++;
    if (!img || !img.complete || !img.naturalWidth || img.getBoundingClientRect().height < 50) log.blank++;
    else if (img.src !== source) {
      const now = performance.now(), seen = pixels(img);
      source = img.src;
      if (seen !== last) { log.shown = now; log.pictures++; last = seen; }
    }
    log.tops.add(Math.round(output.querySelectorAll(".noUi-handle")[1].getBoundingClientRect().top));
    log.heights.add(Math.round(output.getBoundingClientRect().height));
    if (!log.ended) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


@contextlib.contextmanager
def jupyter_lab(root: Path, settings: Path | None = None, options: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Start it on a free port with a token, as it ships or with a folder of settings; yields (address, token)."""
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as own:
        env = dict(os.environ, IPYTHONDIR=f"{own}/ipython", JUPYTER_CONFIG_DIR=f"{own}/config")
        env.update(JUPYTER_RUNTIME_DIR=f"{own}/run", JUPYTERLAB_SETTINGS_DIR=f"{own}/settings")
        env.update(JUPYTERLAB_WORKSPACES_DIR=f"{own}/layouts")
        if settings:
            env["JUPYTER_CONFIG_PATH"] = str(settings)
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
        command += [f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
        command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", *options]
        server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/api/status?token={token}", server)
            yield address, token
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(url: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("JupyterLab has exited")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            answer.read()
            return
        time.sleep(0.1)
    raise TimeoutError("JupyterLab did not answer within a minute")


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """A page of a fresh browser; further pages that share its cache come from `page.context.new_page()`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 1000})
            context.set_default_timeout(120_000)  # milliseconds; half a minute is not enough on a busy machine
            yield context.new_page()
        finally:
            browser.close()


def in_firefox(page: Path, script: str, *, timeout: float = 180) -> Any:
    """What this JavaScript function gives, called in a page by the system's Firefox, without a window."""
    answers = queue.SimpleQueue()
    send = "value => fetch('/answer', { method: 'POST', body: JSON.stringify(value) })"
    call = f"<script>({script})().catch(error => ({{ error: `${{error}}` }})).then({send})</script>"

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path == f"/{page.name}":
                self.answer(page.read_bytes() + call.encode())
            else:
                super().do_GET()

        def do_POST(self):
            answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")

        def answer(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, tempfile.TemporaryDirectory() as own:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [FIREFOX, "--headless", "--no-remote", "--profile", own]
        command.append(f"http://127.0.0.1:{server.server_port}/{page.name}")
        quiet = {"env": dict(os.environ, HOME=own), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        browser = subprocess.Popen(command, **quiet)
        try:
            found = answers.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"Firefox gave no answer within {timeout:g} seconds") from None
        finally:
            browser.terminate()
            browser.wait(30)
            server.shutdown()
    if isinstance(found, dict) and "error" in found:
        raise RuntimeError(found["error"])
    return found


def open_notebook(page: Page, address: str, token: str, name: str) -> None:
    """Open it and wait until its kernel is idle."""
    page.goto(f"{address}/doc/tree/{name}?token={token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    idle = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle, polling=100)


def run_all(page: Page) -> None:
    """Run all cells, as the menu does, and wait until the last has run. What ran before is cleared, not waited for."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
          const widget = jupyterapp.shell.currentWidget, cells = widget.content.model.cells;
          for (let i = 0; i < cells.length; i++) {
            const cell = cells.get(i);
            if (cell.type === 'code' && cell.sharedModel.getSource().trim() && !cell.executionCount) return false;
          }
          return widget.sessionContext.session.kernel.status === 'idle';
        }""",
        timeout=300_000,
        polling=250,  # milliseconds; by default each frame asks, and the page would draw all the time
    )


def run_cells(page: Page, ids: Sequence[str]) -> None:
    """Run these cells, one after the other; all others keep the outputs that they came with."""
    page.evaluate(
        """async ids => {
          const content = jupyterapp.shell.currentWidget.content;
          for (const [i, cell] of [...content.model.cells].entries()) {
            if (!ids.includes(cell.id)) continue;
            content.deselectAll();
            content.activeCellIndex = i;
            await jupyterapp.commands.execute('notebook:run-cell');
          }
        }""",
        ids,
    )


def errors(page: Page) -> list[str]:
    """The error and stderr outputs of all cells, also of those that are scrolled away."""
    return page.evaluate(
        """() => {
          const cells = jupyterapp.shell.currentWidget.content.model.cells, found = [];
          for (let i = 0; i < cells.length; i++) {
            const outputs = cells.get(i).outputs;
            for (let j = 0; j < (outputs?.length ?? 0); j++) {
              const output = outputs.get(j).toJSON();
              if (output.output_type === 'error') found.push(`cell ${i}: ${output.ename}: ${output.evalue}`);
              if (output.name === 'stderr') found.push(`cell ${i}: ${output.text}`);
            }
          }
          return found;
        }"""
    )
