"""moto's S3 server with an access log, filled from a folder by boto3. Runs in an environment of its own, see servers.py.

python object_store.py LISTENING_SOCKET FOLDER BUCKET LOG LAG
"""

import json
import sys
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qs, quote

import boto3
from botocore.config import Config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Handler = type("Handler", (WSGIRequestHandler,), {"protocol_version": "HTTP/1.1", "log_request": lambda *_: None})


class Logged:
    """The application, with a line for every request before its answer is sent, so that no answer is known earlier than its line."""

    def __init__(self, application, log: Path) -> None:
        self.application, self.log, self.lock = application, log, threading.Lock()

    def __call__(self, environ, start_response):
        began, line = time.time(), {}

        def answer(status, headers, *rest):
            line.update(status=int(status[:3]), bytes=int(dict(headers).get("Content-Length", 0)))
            return start_response(status, headers, *rest)

        body = self.application(environ, answer)
        ended, query = time.time(), environ.get("QUERY_STRING")
        line |= {
            "ended": ended,
            "seconds": ended - began,
            "method": environ["REQUEST_METHOD"],
            "path": environ.get("RAW_URI") or environ["PATH_INFO"] + (f"?{query}" if query else ""),
            "range": environ.get("HTTP_RANGE", ""),
            "user_agent": environ.get("HTTP_USER_AGENT", ""),
            "signed": environ.get("HTTP_AUTHORIZATION", ""),
        }
        if line["method"] == "HEAD":
            line["bytes"] = 0
        with self.lock, self.log.open("a") as log:
            log.write(json.dumps(line) + "\n")
        return body


_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Lagging:
    """The application, whose listings show what was written, or hide what was deleted, only after `lag` seconds: as stores do that
    promise no more. What is asked for by its name is there at once.
    """

    def __init__(self, application, lag: float) -> None:
        self.application, self.lag, self.lock = application, lag, threading.Lock()
        self.written: dict[str, float] = {}
        self.deleted: dict[str, float] = {}
        self.known: set[str] = set()

    def __call__(self, environ, start_response):
        method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"], parse_qs(environ.get("QUERY_STRING", ""))
        if method == "GET" and query.get("list-type") == ["2"]:
            return self._list(environ, start_response, path.strip("/"), query)
        with self.lock:
            if (method == "PUT" and "partNumber" not in query) or (method == "POST" and "uploadId" in query):
                if path not in self.known:
                    self.written[path] = time.monotonic()
                self.known.add(path)
                self.deleted.pop(path, None)
            elif method == "DELETE" and path in self.known:
                self.known.discard(path)
                self.deleted[path] = time.monotonic()
        return self.application(environ, start_response)

    def _list(self, environ, start_response, bucket: str, query):
        answers = []
        body = b"".join(self.application(environ, lambda status, headers, *_: answers.append((status, headers))))
        status, headers = answers[0]
        if not status.startswith("200"):
            start_response(status, headers)
            return [body]
        now = time.monotonic()
        with self.lock:
            hidden = {path for path, when in self.written.items() if now - when < self.lag}
            ghosts = [path for path, when in self.deleted.items() if now - when < self.lag]
        tree = ET.fromstring(body)
        for item in tree.findall(f"{{{_NAMESPACE}}}Contents"):
            if f"/{bucket}/{item.findtext(f'{{{_NAMESPACE}}}Key')}" in hidden:
                tree.remove(item)
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        for path in ghosts:
            key = path.removeprefix(f"/{bucket}/")
            rest = key.removeprefix(prefix)
            if key.startswith(prefix) and not (delimiter and delimiter in rest):
                item = ET.SubElement(tree, f"{{{_NAMESPACE}}}Contents")
                for name, text in (
                    ("Key", quote(key)),
                    ("Size", "1"),
                    ("LastModified", "2026-01-01T00:00:00.000Z"),
                    ("ETag", "ghost"),
                ):
                    ET.SubElement(item, f"{{{_NAMESPACE}}}{name}").text = text
        body = ET.tostring(tree, default_namespace=_NAMESPACE)
        start_response(
            status,
            [(name, value) for name, value in headers if name.lower() != "content-length"] + [("Content-Length", str(len(body)))],
        )
        return [body]


def main(listener: int, root: Path, bucket: str, log: Path, lag: float) -> None:
    filling = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=Handler)
    threading.Thread(target=filling.serve_forever, daemon=True).start()
    fill(f"http://127.0.0.1:{filling.port}", root, bucket)
    logged = Logged(Lagging(filling.app, lag) if lag else filling.app, log)
    make_server("127.0.0.1", 0, logged, threaded=True, request_handler=Handler, fd=listener).serve_forever()


def fill(endpoint: str, root: Path, bucket: str) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}), **keys)
    client.create_bucket(Bucket=bucket)
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        client.put_object(Bucket=bucket, Key=str(path.relative_to(root)), Body=path.read_bytes(), ACL="public-read")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), float(sys.argv[5]))
