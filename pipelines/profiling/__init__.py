"""Where the time of a run goes, compared with other runs, and what a whole snapshot would take by the same measure."""
