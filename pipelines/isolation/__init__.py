"""A child process for what leaks, hangs or crashes: one page after the other, each with limits of CPU time and memory."""
