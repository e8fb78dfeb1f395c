import SprintKernels

/// The vectors with which the condition modulates a block, in the order of the published weights. DiT, arXiv
/// 2212.09748.
enum ModulationPart: Int, CaseIterable {
  case attentionShift, attentionScale, attentionGate
  case mlpShift, mlpScale, mlpGate

  static let count = allCases.count
}

/// The vectors with which the condition modulates the output layer, in the order of the published weights.
enum OutputModulationPart: Int, CaseIterable {
  case shift, scale

  static let count = allCases.count
}

extension ModelConfiguration {
  /// Modulation vectors of a sample: those of the output layer and of all blocks.
  var modulationVectors: Int { OutputModulationPart.count + blocks * ModulationPart.count }
}

/// The modulation vectors of one layer for all samples of a batch, or their gradients.
struct Modulation<Part: RawRepresentable<Int>>: Sendable {
  /// [B, parts · D]
  private let vectors: Matrix<Float>
  /// D
  private let width: Int

  /// - Parameters:
  ///   - vectors: [B, parts · D]
  ///   - width: D
  init(_ vectors: Matrix<Float>, width: Int) { (self.vectors, self.width) = (vectors, width) }

  /// The vector `part` of sample `sample`, [D].
  func callAsFunction(_ part: Part, _ sample: Int) -> Vector<Float> {
    vectors.vector(sample)[part.rawValue * width..<(part.rawValue + 1) * width]
  }
}

extension Modulation<ModulationPart> {
  /// Shift and scale of the tokens that attention reads.
  func attention(_ sample: Int) -> ShiftAndScale {
    ShiftAndScale(shift: self(.attentionShift, sample), scale: self(.attentionScale, sample))
  }

  /// Shift and scale of the tokens that the feed-forward layer reads.
  func mlp(_ sample: Int) -> ShiftAndScale {
    ShiftAndScale(shift: self(.mlpShift, sample), scale: self(.mlpScale, sample))
  }
}

extension Modulation<OutputModulationPart> {
  /// Shift and scale of the tokens that the output layer reads.
  func output(_ sample: Int) -> ShiftAndScale {
    ShiftAndScale(shift: self(.shift, sample), scale: self(.scale, sample))
  }
}
