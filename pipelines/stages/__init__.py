"""The stages of a run, one module each: how its units are named, what decides their bytes, how one is made."""
