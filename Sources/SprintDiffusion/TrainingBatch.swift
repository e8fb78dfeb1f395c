import SprintKernels
import SprintModel

/// The B samples of one training batch, or of a part of it, with every random number already drawn.
package struct TrainingBatch: Sendable {
  /// [B, C · S · S] clean latents.
  package var data: Matrix<Float>
  /// [B, C · S · S] noise.
  package var noise: Matrix<Float>
  /// [B] times.
  package var times: [Float]
  /// [B] classes; a dropped label is the number of classes.
  package var labels: [Int]
  /// The tokens and samples that take the deep path.
  package var deepPath: DeepPath
  /// [B · N, F] features of the teacher, or nil without their alignment.
  package var teacher: Matrix<Float>?
  /// The teacher's attention, or nil without its alignment.
  package var attention: AttentionTargets?

  /// Makes a batch; all parts belong to the same B samples.
  package init(
    data: Matrix<Float>, noise: Matrix<Float>, times: [Float], labels: [Int], deepPath: DeepPath,
    teacher: Matrix<Float>? = nil, attention: AttentionTargets? = nil
  ) {
    (self.data, self.noise, self.times, self.labels) = (data, noise, times, labels)
    (self.deepPath, self.teacher) = (deepPath, teacher)
    self.attention = attention
  }
}
