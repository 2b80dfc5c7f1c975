"""From the columnar index of a crawl to the records that are fetched of each archive: index, choose, ranges.

Wanted with `source.by: index` only. Each table lies sorted by the hash of the archive's path, so the last step puts an archive's
records together by reading a stretch of every file.
"""
