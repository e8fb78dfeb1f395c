import SprintKernels

/// The random numbers of reading a sample.
package struct LatentRandomness: Sendable {
  let posterior, flip: Philox

  /// - Parameter validation: validation has a generator of its own, and so sees the same draw every time
  package init(seed: UInt64, validation: Bool = false) {
    posterior = Philox(seed: seed, purpose: validation ? .validationPosterior : .posterior)
    flip = Philox(seed: seed, purpose: .flip)
  }
}
