/// The comparison of one group of a case's results with the expected ones.
package struct VerifiedGroup: Sendable, Encodable {
  /// What is compared.
  package let name: String
  /// The largest ‖found − expected‖ / ‖expected‖ of the group's tensors, or ‖found − expected‖ of
  /// absolute groups.
  package private(set) var error: Double = 0
  /// The tensor with the largest error.
  package private(set) var worst = ""
  /// The largest error that counts as agreement.
  package let tolerance: Double

  /// Whether everything in the group agrees.
  package var agrees: Bool { error <= tolerance }

  private let isAbsolute: Bool

  private enum CodingKeys: CodingKey { case name, error, worst, tolerance }

  init(_ name: String, tolerance: Double, isAbsolute: Bool = false) {
    (self.name, self.tolerance, self.isAbsolute) = (name, tolerance, isAbsolute)
  }

  mutating func compare(_ found: [Float], _ expected: [Float], _ tensor: String) {
    compare(found.map(Double.init), expected.map(Double.init), tensor)
  }

  /// Compares one tensor and remembers it if its error is the largest.
  mutating func compare(_ found: [Double], _ expected: [Double], _ tensor: String) {
    precondition(found.count == expected.count, "\(tensor): \(found.count) values against \(expected.count)")
    let difference = zip(found, expected).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let norm = isAbsolute ? 1 : expected.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
    let relative = difference == 0 ? 0 : difference / norm
    // A difference that is not a number is the worst of all.
    if relative.isNaN || relative > error || worst.isEmpty {
      (error, worst) = (relative.isNaN ? .infinity : relative, tensor)
    }
  }
}
