"""What lies in object stores that speak S3's protocol, by s3://bucket/key.

boto3 knows where a bucket is asked, finds the credentials and signs; the signed URL is asked like any other, so that each request is
counted, also the one that a bucket in another region costs. boto3 is an extra, imported when it is needed.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.asking import Answer, Place
from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.trouble import Fault
from seiryu.corpus.remote.web import REDIRECTS, WebPlace

_REGION = re.compile(r"<Region>([a-z0-9-]{1,40})</Region>")
_HINT = "; an S3 bucket that may not be listed also says so of a name that does not exist"
_UNSIGNED = "; requests are not signed here (fetch.signed), and s3://commoncrawl takes no others since 2022"
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_CALLS = {"GET": "get_object", "HEAD": "head_object"}


class S3:
    """Signs URLs; one client of boto3 a region. Usable from several threads."""

    def __init__(self, manners: Manners) -> None:
        self._manners, self.signs = manners, manners.signed
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._regions: dict[str, str] = {}  # of the buckets that turned out to lie in another than the usual one

    def place(self, url: str) -> S3Place:
        """Where an object lies. InputError for what names none, or without boto3."""
        bucket, key = split(url)
        if not key:
            raise InputError(f"{url} names no object: s3://bucket/key is wanted")
        return S3Place(self, url, bucket, {"Key": key})

    def listing(self, url: str, token: str = "") -> S3Place:
        """Where the next page of what lies below a prefix is told."""
        bucket, prefix = split(url)
        below = prefix if not prefix or prefix.endswith("/") else prefix + "/"
        more = {"ContinuationToken": token} if token else {}
        return S3Place(self, url, bucket, {"Prefix": below, "EncodingType": "url", **more})

    def signed(self, call: str, bucket: str, parameters: dict[str, str], name: str) -> str:
        """The URL that makes a call; without a signature unless it was asked to sign."""
        client = self._client(self._regions.get(bucket, ""), name)
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped,unused-ignore]

        try:
            return str(client.generate_presigned_url(call, Params={"Bucket": bucket, **parameters}))
        except BotoCoreError as error:  # such as credentials that the machine's own service does not give just now
            raise Unreachable(f"{name} cannot be asked: {error}") from error

    def region(self, bucket: str) -> str:
        """Where a bucket has turned out to lie; empty if nobody has said."""
        return self._regions.get(bucket, "")

    def moved(self, bucket: str, region: str) -> None:
        self._regions[bucket] = region

    def _client(self, region: str, name: str) -> Any:
        with self._lock:
            if region not in self._clients:
                self._clients[region] = self._new_client(region, name)
            return self._clients[region]

    def _new_client(self, region: str, name: str) -> Any:
        try:
            import boto3  # type: ignore[import-untyped,unused-ignore]
            from botocore import UNSIGNED  # type: ignore[import-untyped,unused-ignore]
            from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]
            from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped,unused-ignore]
        except ImportError as error:
            raise InputError(f"{name} needs boto3, which is not installed: pip install boto3") from error
        config = Config(
            signature_version="s3v4" if self._manners.signed else UNSIGNED,
            s3={"addressing_style": "path" if self._manners.endpoint else "auto"},
        )
        try:
            self._session = self._session or boto3.session.Session()
            return self._session.client(
                "s3",
                region_name=region or self._session.region_name or "us-east-1",
                endpoint_url=self._manners.endpoint or None,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise InputError(f"{name} cannot be asked: {error}") from error


class S3Place:
    """An object, or a page of a listing."""

    def __init__(self, s3: S3, name: str, bucket: str, parameters: dict[str, str]) -> None:
        self.hint = _HINT if s3.signs else _HINT + _UNSIGNED
        self._asked_in = ""
        self._s3, self.name, self._bucket, self._parameters = s3, name, bucket, parameters

    def address(self, method: str) -> str:
        self._asked_in = self._s3.region(self._bucket)
        call = _CALLS[method] if "Key" in self._parameters else "list_objects_v2"
        return self._s3.signed(call, self._bucket, self._parameters, self.name)

    def onward(self, answer: Answer) -> Place | None:
        """The same again when the answer says in which other region the bucket lies."""
        found = _REGION.search(answer.text)
        region = answer.headers.get("x-amz-bucket-region") or (found[1] if found else "")
        if answer.status in (*REDIRECTS, 400) and region and region != self._asked_in:
            self._s3.moved(self._bucket, region)
            return self
        return WebPlace(self.address("GET"), self.name).onward(answer) if answer.status in REDIRECTS else None


def split(url: str) -> tuple[str, str]:
    """Bucket and key of an s3:// URL; a key may hold any character."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", bucket):
        raise InputError(f"{url} names no bucket: s3://bucket/key is wanted")
    return bucket, key


def listed(data: bytes) -> tuple[list[str], str]:
    """Keys of one page of a listing, and the token of the next page, empty at the last. Fault if it is no such page, or not whole."""
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Fault(f"answered a listing that is no XML ({error})") from error
    for element in root.iter():
        element.tag = element.tag.removeprefix(_NAMESPACE)
    coded = root.findtext("EncodingType") == "url"
    keys = [item.findtext("Key") or "" for item in root.findall("Contents")]
    told = root.findtext("KeyCount")
    more = root.findtext("IsTruncated")
    token = (root.findtext("NextContinuationToken") or "") if more == "true" else ""
    if root.tag != "ListBucketResult" or more not in ("true", "false") or (more == "true" and not token):
        raise Fault(f"answered no listing but {data[:200]!r}")
    if not all(keys) or (told and told != str(len(keys))):
        raise Fault(f"answered a listing of {len(keys):,} names that says it has {told}")
    return [unquote_plus(key) if coded else key for key in keys], token
