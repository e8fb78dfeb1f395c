/// Later, noisier times for larger latents: t' = s t / (1 + (s - 1) t). arXiv 2403.03206, section 5.3.2.
package struct TimeShift: Sendable, Equatable {
  /// s; 1 leaves times as they are.
  package var factor: Double

  /// Shifts times by `factor`.
  package init(factor: Double = 1) { self.factor = factor }

  /// The shift sqrt(elements / base) of latents of C · S · S elements. SR-DiT, arXiv 2512.12386, with the base 4096.
  package init(elements: Int, base: Double) { factor = (Double(elements) / base).squareRoot() }

  /// Returns the shifted time; 0 and 1 stay.
  package func callAsFunction(_ t: Float) -> Float {
    let s = Float(factor)
    return factor == 1 ? t : min(max(s * t / (1 + (s - 1) * t), 0), 1)
  }

  /// Returns the shifted time; 0 and 1 stay.
  package func callAsFunction(_ t: Double) -> Double {
    factor == 1 ? t : min(max(factor * t / (1 + (factor - 1) * t), 0), 1)
  }
}
