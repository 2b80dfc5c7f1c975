"""What has been seen before: signatures, and the choice of survivors. Imports corpus."""
