"""How it runs: config, stages, the Ray engine, the command line, the report. The only room that imports Ray."""
