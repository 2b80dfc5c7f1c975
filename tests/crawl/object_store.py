"""moto's S3 server with an access log, filled from a folder by boto3. Runs in an environment of its own, see servers.py.

python object_store.py LISTENING_SOCKET FOLDER BUCKET LOG
"""

import json
import sys
import threading
import time
from pathlib import Path

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


def main(listener: int, root: Path, bucket: str, log: Path) -> None:
    filling = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=Handler)
    threading.Thread(target=filling.serve_forever, daemon=True).start()
    fill(f"http://127.0.0.1:{filling.port}", root, bucket)
    logged = Logged(filling.app, log)
    make_server("127.0.0.1", 0, logged, threaded=True, request_handler=Handler, fd=listener).serve_forever()


def fill(endpoint: str, root: Path, bucket: str) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}), **keys)
    client.create_bucket(Bucket=bucket)
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        client.put_object(Bucket=bucket, Key=str(path.relative_to(root)), Body=path.read_bytes(), ACL="public-read")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
