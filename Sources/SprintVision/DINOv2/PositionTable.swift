import SprintKernels

/// How positions are resized from the image of training (518 pixels) to others. The two differ by a few percent of a
/// position, and a checkpoint does not say which one its user wants.
package enum PositionResizing: Sendable {
  /// As DINOv2's own code does: without antialiasing and with its offset of 0.1 (`interpolate_pos_encoding`); with
  /// registers it antialiases, without the offset. DINOv2 as torch.hub loads it, which FDD uses.
  case published
  /// As timm does (`resample_abs_pos_embed`): with antialiasing. REPA resizes with it, so features for alignment are
  /// those of this one: github.com/sihyun-yu/REPA, `load_encoders` in `utils.py`.
  case antialiased
}

extension BicubicResampling {
  /// How positions of a table of `side` x `side` are resized to `grid` x `grid`.
  package init(positionsFrom side: Int, to grid: Int, _ resizing: PositionResizing) {
    switch resizing {
    case .antialiased: self.init(antialiasedFrom: side, to: grid)
    // The code asks for a scale of (grid + 0.1) / side, so that rounding cannot lose a position.
    case .published: self.init(from: side, to: grid, step: Float(1 / ((Double(grid) + 0.1) / Double(side))))
    }
  }
}

extension DINOv2Weights {
  /// The positions of the patches of an image.
  ///
  /// - Parameter grid: patches along one side of it
  /// - Returns: [grid², D]
  func positions(grid: Int, _ resizing: PositionResizing) -> [Float] {
    let stored = positions.flattened
    guard grid != shape.tableSide else { return stored.array }
    let axis = BicubicResampling(
      positionsFrom: shape.tableSide, to: grid, shape.registers > 0 ? .antialiased : resizing)
    return axis.resample(UnsafeBufferPointer(stored.buffer), channels: shape.width)
  }
}
