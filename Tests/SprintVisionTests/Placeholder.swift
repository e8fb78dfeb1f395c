// Removed when the first tests of this module come.
