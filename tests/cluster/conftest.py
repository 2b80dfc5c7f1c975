"""Three machines with a cluster on them, and a fourth with an object store, for the tests of a module."""

from collections.abc import Iterator

import pytest
from namespaces import machines
from nodes_of_ray import nodes
from raylets import Cluster, object_store


@pytest.fixture(scope="module")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        with machines(4) as (*free, last), object_store(last) as endpoint, nodes(tmp_path_factory.mktemp("nodes")) as started:
            found = Cluster(started, free, endpoint)
            found.join()
            yield found
            for member in found.members:
                member.end()
    except PermissionError as error:
        pytest.skip(f"network namespaces are not to be had here: {error}")


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Cluster:
    """A head and one other node, whatever was done to those of the test before."""
    for member in whole_cluster.members[1:]:
        whole_cluster.leave(member)
    whole_cluster.join()
    return whole_cluster
