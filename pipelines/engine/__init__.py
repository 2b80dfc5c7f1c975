"""How units come to be made on Ray: the cluster, the lease of a run directory, the units of a stage, one attempt."""
