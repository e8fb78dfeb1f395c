/// What DINOv2 says about one image of N patches.
package struct DINOv2Output: Sendable {
  /// [D] the class token after the last norm (`x_norm_clstoken`); FDD compares its distributions.
  package var classToken: [Float]
  /// [N, D] the patches' tokens after the last norm (`x_norm_patchtokens`), with which REPA aligns.
  package var patchTokens: [Float]
  /// [L, H, N, N] the attention softmax(q kᵀ / 8) of the last L blocks that were asked for, first of them first, with
  /// which HASTE aligns. Rows and columns of the class token and the registers are left out, and the rest is not
  /// divided by its sum.
  package var attention: [Float]
}
