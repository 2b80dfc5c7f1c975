"""What a run tells: events to the screen, to JSON logs and to metrics; how fast it goes."""
