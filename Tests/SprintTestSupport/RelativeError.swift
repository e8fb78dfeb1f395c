/// Returns ‖found − expected‖ / ‖expected‖.
package func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
  precondition(found.count == expected.count, "\(found.count) values against \(expected.count)")
  let difference = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
  return difference == 0 ? 0 : difference / norm
}

/// Compares an analytic gradient with central differences of `f` at `x` in float64, for every `stride`-th element.
///
/// - Returns: the relative error over the compared elements
package func gradientError(_ gradient: [Double], at x: [Double], stride step: Int = 1, _ f: ([Double]) -> Double)
  -> Double
{
  var point = x
  let h = 1e-5
  let chosen = Array(Swift.stride(from: 0, to: x.count, by: step))
  let differences = chosen.map { i -> Double in
    point[i] = x[i] + h
    let above = f(point)
    point[i] = x[i] - h
    let below = f(point)
    point[i] = x[i]
    return (above - below) / (2 * h)
  }
  return relativeError(chosen.map { gradient[$0] }, differences)
}

/// Returns Σ a_i b_i.
package func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
