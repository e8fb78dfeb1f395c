"""What the programs of this folder share: starting sprint, watching it, and comparing what it leaves with the truth."""
