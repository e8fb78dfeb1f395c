/// How far one group of a case's results lies from what was expected.
package struct VerifiedGroup: Sendable, Encodable {
  /// What was compared.
  package let name: String
  /// The largest ‖got − expected‖ / ‖expected‖ of the group's tensors, and the tensor it belongs to.
  package private(set) var error: Double = 0
  /// The tensor with the largest error.
  package private(set) var worst = ""
  /// The largest error that counts as agreement.
  package let tolerance: Double

  /// Whether everything in the group agrees.
  package var agrees: Bool { error <= tolerance }

  init(_ name: String, tolerance: Double) {
    self.name = name
    self.tolerance = tolerance
  }

  mutating func compare(_ got: [Float], _ expected: [Float], _ tensor: String) {
    compare(got.map(Double.init), expected.map(Double.init), tensor)
  }

  mutating func compare(_ got: [Double], _ expected: [Double], _ tensor: String) {
    precondition(got.count == expected.count, "\(tensor): \(got.count) values against \(expected.count)")
    let difference = zip(got, expected).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let norm = expected.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
    let relative = difference == 0 ? 0 : difference / norm
    // A difference that is not a number is the worst of all.
    if relative.isNaN || relative > error || worst.isEmpty {
      (error, worst) = (relative.isNaN ? .infinity : relative, tensor)
    }
  }
}
