"""The built site on localhost, compressed as a real host sends it, and the Chromium that reads it."""

import contextlib
import functools
import gzip
import http.server
import json
import os
import shutil
import threading
from typing import ClassVar

# The shell is Chromium without its own windows: the same pages for two thirds of the work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".py", ".md"}
INDEX = "/search/search_index.json"
NOTHING = {"config": {"lang": ["en"], "separator": " ", "pipeline": [], "fields": {}}, "docs": []}
EMPTY = gzip.compress(json.dumps(NOTHING).encode())


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files with gzip; writes the path and the bytes of every answer down in `server.sent`."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".py": "text/plain",
    }

    def do_GET(self):
        path = self.translate_path(self.path)
        if os.path.isdir(path) and self.path.split("?")[0].endswith("/"):
            path = os.path.join(path, "index.html")
        if not os.path.isfile(path):
            return super().do_GET()
        body = EMPTY if self.path == INDEX and not self.server.search else _body(path, os.stat(path).st_mtime_ns)
        self.server.sent.append((self.path, len(body)))
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path) + ("; charset=utf-8" if _packed(path) else ""))
        if _packed(path):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args):
        pass


def _packed(path):
    return os.path.splitext(path)[1] in COMPRESSED


@functools.lru_cache(maxsize=4096)
def _body(path, _):
    with open(path, "rb") as file:
        data = file.read()
    return gzip.compress(data, 9, mtime=0) if _packed(path) else data


@contextlib.contextmanager
def serve(folder, port=0, sent=None, search=False):
    """The address, with a slash at the end, under which `folder` is served; `sent` is filled with (path, bytes).

    With search=False the index of the search is sent empty: every page has a worker read the whole of it, which takes
    a core for a second, and almost no test searches.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))
    server.daemon_threads = True
    server.sent, server.search = [] if sent is None else sent, search
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
