extension String {
  /// Levenshtein's distance: the number of insertions, deletions and replacements that turn this word into another.
  func editDistance(to other: String) -> Int {
    let (own, other) = (Array(self), Array(other))
    var row = Array(0...other.count)
    for i in own.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in other.indices {
        let replaced = diagonal + (own[i] == other[j] ? 0 : 1)
        (diagonal, row[j + 1]) = (row[j + 1], Swift.min(replaced, row[j] + 1, row[j + 1] + 1))
      }
    }
    return row[other.count]
  }
}
