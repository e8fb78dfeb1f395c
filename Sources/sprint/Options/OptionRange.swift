import ArgumentParser

/// Throws if the value of an option lies outside its range.
func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError("--\(option) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
  }
}
