"""What the programs of this folder share: starting sprint, watching it, and holding what it leaves against the truth."""
