"""YAML files a person copies and edits, and the presets, as data of the package."""
