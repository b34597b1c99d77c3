"""A server that does with each connection what a test says, with TLS or without, and counts them."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Act: TypeAlias = Callable[[socket.socket, bytes], bool]  # answers a request; false: and hangs up


class Server:
    """`url`, how many `connections` were made and are `open`, `requests` as they came, and `acts` to come.

    The last act stays. A server that is `deaf` takes connections and never says a word.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = self.open = 0
        self.requests: list[bytes] = []
        self.acts: list[Act] = [says()]
        self.deaf = False
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def stall(self, *_: object) -> bool:
        """Say nothing, as long as the test lasts."""
        self._stopped.wait(60)
        return False

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # it was stopped
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self.open += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _count_down(self) -> None:
        self.open -= 1

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:  # the client may go at any time
            stack.callback(self._count_down)
            stack.enter_context(connection)
            if self.deaf:
                self.stall()
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            while request := _read(connection):
                self.requests.append(request)
                if not (self.acts.pop(0) if len(self.acts) > 1 else self.acts[0])(connection, request):
                    return


def _read(connection: socket.socket) -> bytes:
    """Return one request, head and body; nothing if the client has closed."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(65536)
        if not more:
            return b""
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int = 200, body: bytes = b"", *, length: int | None = None, **headers: str) -> bytes:
    """Return an answer; `length` is told if it is another than the body's. A `_` in a name is a hyphen."""
    told = {
        "Content-Length": str(len(body) if length is None else length),
        "x-oss-request-id": "R",
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items()]
    return f"HTTP/1.1 {status} -\r\n{''.join(lines)}\r\n".encode() + body


def says(told: bytes = b"", *, closes: bool = False) -> Act:
    """Answer; `closes`: and hang up, as a server does with a connection that it no longer keeps."""
    told = told or answer()

    def act(connection: socket.socket, request: bytes) -> bool:
        head, end, body = told.partition(b"\r\n\r\n")
        connection.sendall(head + end + body * (not request.startswith(b"HEAD ")))
        return not closes

    return act


def reset(connection: socket.socket, _: bytes) -> bool:
    """Break the connection off without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run one on a free port."""
    server = Server(tls)
    try:
        yield server
    finally:
        server.stop()


class Authority:
    """A certificate authority with its certificate in a file, `trusted`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name, self._key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self.trusted = folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        made = self._certificate(name, self._key).add_extension(constraints, critical=True)
        signed = made.sign(self._key, hashes.SHA256())
        self.trusted.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str) -> ssl.SSLContext:
        """Return what a server with these names, which may be addresses, shows and answers with."""
        key = ec.generate_private_key(ec.SECP256R1())
        told = x509.SubjectAlternativeName([_name(each) for each in names])
        made = self._certificate("server", key).add_extension(told, critical=False)
        path = self._folder / f"{self._name}-server.pem"
        path.write_bytes(
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(self, subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now, day = dt.datetime.now(dt.timezone.utc), dt.timedelta(days=1)
        return x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)]),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
            key.public_key(),
            x509.random_serial_number(),
            now - day,
            now + day,
        )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
