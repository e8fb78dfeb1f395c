import SprintFormats
import SprintKernels

/// What turns images into the numbers that an evaluation compares.
package protocol FeatureNetwork: Sendable {
  /// What to call it, e.g. `inception`.
  var name: String { get }
  /// The SHA-256 of the file of its weights; nil where there are none.
  var fingerprint: String? { get }
  /// Computes the features of pictures. The numbers of a picture do not depend on the others, nor on the workers.
  func features(of pictures: [Picture], _ workers: Workers) throws -> ImageFeatures
}

/// The features of B images, one row an image.
package struct ImageFeatures: Sendable {
  /// [B, F] numbers whose distributions are compared: 2048 of Inception's pool, DINOv2's class token, or pixels.
  package var pooled: [[Float]]
  /// [B, 2023] numbers of Inception's 7 x 17 x 17 spatial features, for sFID; nil of other networks.
  package var spatial: [[Float]]?
  /// [B, 1008] logits of Inception without bias, for IS; nil of other networks.
  package var logits: [[Float]]?

  /// Features without spatial ones and logits, unless they are given.
  package init(pooled: [[Float]], spatial: [[Float]]? = nil, logits: [[Float]]? = nil) {
    (self.pooled, self.spatial, self.logits) = (pooled, spatial, logits)
  }
}
