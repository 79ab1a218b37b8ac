"""An address in front of others: what begins with a prefix goes to whom that prefix belongs to.

On its way a form may lose members that whoever is behind it does not know. What was lost is kept, so that it can be said.
Whatever is posted to a prefix that belongs to nobody is kept, too, and taken.
"""

import http.client
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

# Not passed on: they are about one connection, or about a body that may have changed.
OWN = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}

Known = Callable[[str, str], bool]


class Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes: dict[str, tuple[str, Known | None]] = {}
        self.lost: dict[str, set[str]] = {}
        self.passed: list[tuple[str, str, int]] = []
        # What a validator among those behind has objected to: whether it is an error, where, and what.
        self.objections: list[tuple[bool, str, str]] = []
        self.posted: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may break a connection off that it has kept."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def lead(self, prefix: str, to: str, known: Known | None = None) -> None:
        """`known` says of a path and a member of a form whether it is passed on."""
        self.routes[prefix] = (to, known)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fitting = [prefix for prefix in self.server.routes if self.path.startswith(prefix)]
        if fitting:
            self._pass_on(max(fitting, key=len), body)
        else:
            self._keep(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def _pass_on(self, prefix: str, body: bytes) -> None:
        to, known = self.server.routes[prefix]
        rest = self.path[len(prefix) :]
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        if known and "urlencoded" in headers.get("Content-Type", headers.get("content-type", "")):
            body = self._reduced(rest, body, known)
        target = urlsplit(to)
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
        connection.request(self.command, target.path.rstrip("/") + rest, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        with self.server.lock:
            self.server.passed.append((self.command, self.path, answer.status))
            self.server.objections += _objections(f"{self.command} {self.path}", answer.getheader("sl-violations"), text)
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in OWN]
        self._answer(answer.status, text, kept)

    def _reduced(self, path: str, body: bytes, known: Known) -> bytes:
        members = parse_qsl(body.decode(), keep_blank_values=True)
        kept = [(name, value) for name, value in members if known(path, name)]
        lost = {name for name, _ in members} - {name for name, _ in kept}
        with self.server.lock:
            for name in lost:
                self.server.lost.setdefault(name, set()).add(path)
        return urlencode(kept).encode()

    def _keep(self, body: bytes) -> None:
        """Shows what was posted to this path, or takes it."""
        if self.command == "GET":
            with self.server.lock:
                told = [kept for kept in self.server.posted if kept["path"] == self.path]
            return self._answer(200, json.dumps(told).encode(), [("content-type", "application/json")])
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.posted.append({"path": self.path, "headers": headers, "body": body.decode(errors="replace")})
        return self._answer(200, b"[accepted]", [("content-type", "text/plain")])

    def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _objections(where: str, header: str | None, text: bytes) -> list[tuple[bool, str, str]]:
    """Of Prism: in a header beside an answer that it lets pass, or in an answer of its own."""
    if b"stoplight.io/prism/errors" in text:
        return [(True, where, text.decode(errors="replace"))]
    found = json.loads(header or "[]")
    return [(one.get("severity") == "Error", where, one.get("message", "")) for one in found]
