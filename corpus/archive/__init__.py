"""WARC archives: bytes of members, records with their places and all damage, and the captured page in a record."""
