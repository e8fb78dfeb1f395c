/// The constants of AdamW. arXiv 1711.05101.
package struct AdamWConfiguration: Sendable, Equatable {
  /// Decay of the first and of the second moment.
  package var beta1 = 0.9, beta2 = 0.999
  /// The number added to the root of the second moment.
  package var epsilon = 1e-8
  /// Decoupled weight decay.
  package var weightDecay = 0.0

  /// The published constants.
  package init() {}
}
