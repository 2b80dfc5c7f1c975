"""Whether a run can be made: what `seiryu doctor` looks at on the driver and on every node, before anything is started."""
