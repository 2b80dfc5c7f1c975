"""What Common Crawl publishes: its crawls, its lists of files, its columnar index, and which bytes of which archives are
wanted."""
