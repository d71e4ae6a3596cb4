"""Small servers and ways to feed volley talk, shared by its tests."""

import contextlib
import socket
import subprocess
import threading

import harness
from harness import need, start_volley


def ask_with_input(text, *args, timeout=20):
    """Runs volley talk with `text` on stdin."""
    process = start_volley("talk", *args, stdin=subprocess.PIPE)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(text)
        process.stdin.close()
    process.stdin = None
    return harness.finish(process, process.argv, timeout, process.started)


@contextlib.contextmanager
def tcp_server(serve, host="127.0.0.1", backlog=5):
    """A TCP server that hands its first connection to `serve`; gives its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen(backlog)
        listener.settimeout(10)

        def accept():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(10)
                    serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(timeout=15)
            assert not thread.is_alive()


@contextlib.contextmanager
def udp_server(answer, host="127.0.0.1"):
    """A UDP server: answer(data) gives the datagrams to send back. Gives (port, list of data)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    seen = []
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.settimeout(0.05)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    data, peer = sock.recvfrom(65_535)
                except TimeoutError:
                    continue
                except OSError:
                    return
                seen.append(data)
                for reply in answer(data):
                    sock.sendto(reply, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield sock.getsockname()[1], seen
        finally:
            stop.set()
            thread.join(timeout=5)


def socat(programs, kind, what="EXEC:cat", fork=True):
    """socat as a server on a free port; gives the port."""
    port = harness.free_port()
    options = ",fork" if fork else ""
    listen = {"udp": f"UDP4-RECVFROM:{port},bind=127.0.0.1{options}",
              "tcp": f"TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr{options}"}[kind]
    programs.start_ready([need("socat"), listen, what], lambda: harness.is_bound(kind, port),
                         f"socat on {kind} port {port}")
    return port
