"""As much of HTTP/1.1 as the bench needs, over bare sockets: what it adds must be small, and the same for all."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Message:
    """A request or a response. Header names are in lower case."""

    start: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])


class Connection:
    """One end of a connection that is kept alive."""

    def __init__(self, stream: socket.socket) -> None:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = stream
        self.reader = stream.makefile("rb")

    @classmethod
    def to(cls, address: str) -> "Connection":
        host, port = address.removeprefix("http://").split(":")
        return cls(socket.create_connection((host, int(port))))

    def read(self) -> Message | None:
        """The next message; none where the other end is gone."""
        try:
            start = self.reader.readline().decode().rstrip("\r\n")
            if not start:
                return None
            message = Message(start)
            while line := self.reader.readline().decode().rstrip("\r\n"):
                name, value = line.split(":", 1)
                message.headers[name.lower()] = value.strip()
            if "chunked" in message.headers.get("transfer-encoding", ""):
                message.body = b"".join(iter(self._chunk, b""))
            else:
                message.body = self.reader.read(int(message.headers.get("content-length", 0)))
            return message
        except OSError:
            return None

    def _chunk(self) -> bytes:
        size = int(self.reader.readline(), 16)
        chunk = self.reader.read(size)
        self.reader.readline()
        return chunk

    def write(self, message: Message) -> None:
        headers = {**message.headers, "content-length": str(len(message.body))}
        headers.pop("transfer-encoding", None)
        lines = [message.start, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.stream.sendall("\r\n".join(lines).encode() + message.body)

    def ask(self, request: Message) -> Message:
        self.write(request)
        response = self.read()
        if response is None:
            raise ConnectionError(f"no answer to {request.start}")
        return response

    def close(self) -> None:
        self.reader.close()
        self.stream.close()


class Server:
    """Hands each connection to `talk`, in a thread of its own."""

    def __init__(self, talk: Callable[[Connection], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.talk = talk
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=[Connection(stream)], daemon=True).start()

    def _converse(self, connection: Connection) -> None:
        try:
            self.talk(connection)
        except OSError:
            pass  # It was killed, as the bench does.
        finally:
            connection.close()

    def close(self) -> None:
        self.listener.close()
