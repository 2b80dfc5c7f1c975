"""The page that a run is looked at through: what it says, its charts and sections, and how it is put into one file."""
