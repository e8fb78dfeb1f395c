/// A name that a user may have meant.
package struct Suggestion: Sendable {
  /// The name as it is compared, and as messages show it.
  package let name, shown: String
  /// Whether the name stands where the user wrote another one.
  package let isHere: Bool

  package init(_ name: String, shown: String, isHere: Bool) {
    (self.name, self.shown, self.isHere) = (name, shown, isHere)
  }
}

extension [Suggestion] {
  /// Returns the names that are most like a word, or none if none is like it. A name that stands elsewhere counts as
  /// one and a half mistakes more.
  package func closest(to word: String) -> [Suggestion] {
    // No name is as long as half of that, and comparing takes time.
    guard word.utf8.count <= 60 else { return [] }
    let word = word.lowercased().replacing("-", with: "_")
    let limit = word.count < 3 ? 0 : Swift.min(3, Swift.max(1, word.count / 3))
    let costs = map { suggestion -> Int? in
      let distance = word.isExtension(of: suggestion.name) ? 1 : word.editDistance(to: suggestion.name)
      return distance > limit ? nil : 2 * distance + (suggestion.isHere ? 0 : 3)
    }
    let least = costs.compactMap(\.self).min()
    return zip(self, costs).filter { $1 != nil && $1 == least }.map(\.0)
  }

  /// The question whether the user meant one of them, as the end of a message; nothing for none.
  package var question: String {
    let names = map { "`\($0.shown)`" }
    guard let last = names.last else { return "" }
    let others = names.dropLast().joined(separator: ", ")
    return "; did you mean \(others.isEmpty ? "" : "\(others) or ")\(last)?"
  }
}

extension String {
  /// Whether one of two words begins with the other, as `benchmark` does with `bench`.
  fileprivate func isExtension(of other: String) -> Bool {
    Swift.min(count, other.count) >= 4 && self != other && (hasPrefix(other) || other.hasPrefix(self))
  }

  /// The distance of Damerau and Levenshtein in its restricted form: the number of insertions, deletions, replacements
  /// and exchanges of neighbours that turn this word into another.
  func editDistance(to other: String) -> Int {
    let (own, other) = (Array(self), Array(other))
    var (before, row) = ([Int](), Array(0...other.count))
    for i in own.indices {
      var next = [i + 1]
      for j in other.indices {
        let replaced = row[j] + (own[i] == other[j] ? 0 : 1)
        let isExchange = i > 0 && j > 0 && own[i] == other[j - 1] && own[i - 1] == other[j]
        next.append(Swift.min(replaced, row[j + 1] + 1, next[j] + 1, isExchange ? before[j - 1] + 1 : .max))
      }
      (before, row) = (row, next)
    }
    return row[other.count]
  }
}
