"""A run laid out as a dataset for the Hugging Face hub: card, files, checksums, lineage. Nothing here sends anything anywhere."""
