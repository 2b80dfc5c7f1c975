"""What has been seen before: signatures, the bands they are compared by, and the choice of survivors."""
