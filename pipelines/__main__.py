"""`python -m seiryu.pipelines` is `seiryu`."""

from seiryu.pipelines.cli import main

main()
