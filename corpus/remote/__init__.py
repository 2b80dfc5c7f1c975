"""Files that lie on servers: asked for exactly, within a budget that all processes share, and checked as they come."""
