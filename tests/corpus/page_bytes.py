"""Response records and pages, made for one purpose."""

from datetime import UTC, datetime

from seiryu.corpus.archive.page import Page, read_page
from seiryu.corpus.archive.warc import RawRecord

FIELDS = (
    b"WARC-Target-URI: http://a.jp/\r\nWARC-Date: 2023-12-11T08:53:07Z\r\nContent-Type: application/http; msgtype=response\r\n"
    b"WARC-Record-ID: <urn:uuid:566c3d37-880b-43db-84d7-fd41b2e80e31>\r\n"
)
HTML = "<html><head><title>題</title></head><body>".encode() + "日本語の文章。".encode() * 3000


def record(content, fields=FIELDS):
    header = b"WARC/1.0\r\nWARC-Type: response\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(content)
    return RawRecord(0, 0, 0, "response", header, content, len(content))


def response(fields="", body=b"body", status="HTTP/1.1 200 OK", end="\r\n"):
    lines = [status, *fields.split("\n")] if fields else [status]
    return read_page(record(end.join([*lines, "", ""]).encode() + body))


def coded(body, content="", transfer=""):
    return Page(b"", 200, "text/html", None, "", "", transfer, content, body)


def micro(text):
    when = datetime.fromisoformat(text).astimezone(UTC)
    return round(when.timestamp() * 1_000_000)
