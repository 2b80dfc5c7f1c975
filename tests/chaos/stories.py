"""What chaos needs around it: a small input, its bytes in peace, a cluster, an object store behind a proxy; a story for every seed."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import boto3
import servers
from chaos import Chaos, Story
from cluster import Victims
from commandline import hashes, seiryu, write_config
from nodes_of_ray import nodes
from proxy import FaultProxy
from whole_runs import few_archives

RESULT = ("documents", "ledger", "signals", "verdicts", "dedup", "corpus", "tokens", "shards", "provenance")
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
ENGINE = {"workers": 1, "memory": "500MB", "attempts": 10, "patience": 60, "straggler_seconds": 2}
SHARDS = {"formats": ["megatron", "jsonl"], "validation": {"share": 0.05}, "tokens": 10_000}
ARCHIVES = 5
BUCKET = "runs"


def told(seeds: Iterable[int], folder: Path) -> Iterator[Story]:
    """A run for each seed, compared with one in peace; every third in the object store."""
    archives = folder / "archives"
    archives.mkdir(exist_ok=True)
    for path in few_archives(archives)[ARCHIVES:]:
        path.unlink()
    config = write_config(folder, archives, engine=ENGINE, shards=SHARDS)
    ended = seiryu("run", config, "--set", f"run={folder}/peace")
    assert ended.code == 0, ended.err
    peace = hashes(folder / "peace", *RESULT)
    assert peace
    (folder / "nothing").mkdir(exist_ok=True)
    with servers.s3(folder / "nothing", BUCKET) as store, FaultProxy(store.url) as proxy, nodes(folder) as ray:
        environment = KEYS | {"AWS_ENDPOINT_URL": proxy.url.rstrip("/"), "RAY_AUTH_MODE": "disabled"}
        victims = Victims(ray, environment)
        victims.start()
        for seed in seeds:
            place = f"s3://{BUCKET}/{seed}" if seed % 3 == 0 else str(folder / f"run-{seed}")
            chaos = Chaos(seed, config, place, victims, proxy, environment)
            story = chaos.tell()
            made = folder / f"run-{seed}"
            if story.store == "s3":
                _download(store.url, str(seed), made)
            if not story.wrong and (found := hashes(made, *RESULT)) != peace:
                story.wrong = f"OTHER BYTES: {sorted(set(found.items()) ^ set(peace.items()))[:6]}"
            if not story.wrong and (looked := seiryu("verify", made)).code:
                story.wrong = f"verify: {looked.out[-1000:]}"
            if not story.wrong:
                shutil.rmtree(made)
            yield story


def _download(endpoint: str, prefix: str, folder: Path) -> None:
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], region_name=KEYS["AWS_DEFAULT_REGION"],
    )  # fmt: skip
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/"):
        for item in page.get("Contents", []):
            target = folder / os.path.relpath(item["Key"], prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(BUCKET, item["Key"], str(target))
