"""What a corpus is made of: archives in, documents, tables, tokens, shards out. Imports no other room."""
