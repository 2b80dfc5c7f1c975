"""The stages of deduplication, in their order: fingerprints, pages, copies, signatures, bands, groups, members, choices, select."""
