import SprintKernels
import SprintModel

/// The B samples of one training batch, or of a part of it, with every random number already drawn.
package struct TrainingBatch: Sendable {
  /// [B, C · S · S] clean latents.
  package var data: Matrix<Float>
  /// [B, C · S · S] noise.
  package var noise: Matrix<Float>
  /// The class tokens and their noise, or nil if the network has none.
  package var classTokens: ClassTokens?
  /// The sample before the first one, or nil without the contrast between neighbours.
  package var before: Neighbour?
  /// [B] times.
  package var times: [Float]
  /// [B] classes; a dropped label is the number of classes.
  package var labels: [Int]
  /// The tokens and samples that take the deep path.
  package var deepPath: DeepPath
  /// [B · patches, F] features of the teacher, or nil without their alignment.
  package var teacher: Matrix<Float>?
  /// The teacher's attention, or nil without its alignment.
  package var attention: AttentionTargets?

  /// Makes a batch; all parts belong to the same B samples.
  package init(
    data: Matrix<Float>, noise: Matrix<Float>, classTokens: ClassTokens? = nil, before: Neighbour? = nil,
    times: [Float], labels: [Int], deepPath: DeepPath, teacher: Matrix<Float>? = nil,
    attention: AttentionTargets? = nil
  ) {
    (self.data, self.noise, self.times, self.labels) = (data, noise, times, labels)
    (self.classTokens, self.before) = (classTokens, before)
    (self.deepPath, self.teacher) = (deepPath, teacher)
    self.attention = attention
  }
}

extension TrainingBatch {
  /// The class tokens of a batch, as a teacher gives them.
  package struct ClassTokens: Sendable {
    /// [B, F] clean class tokens and noise.
    package let data, noise: Matrix<Float>

    /// Pairs class tokens with their noise.
    package init(data: Matrix<Float>, noise: Matrix<Float>) { (self.data, self.noise) = (data, noise) }

    /// Takes memory for B class tokens of width F.
    package init(batch: Int, width: Int, in arena: Arena) {
      (data, noise) = (arena.matrix(rows: batch, columns: width), arena.matrix(rows: batch, columns: width))
    }

    /// A view of some samples.
    package func rows(_ range: Range<Int>) -> ClassTokens {
      ClassTokens(data: data.rows(range), noise: noise.rows(range))
    }
  }

  /// A sample whose velocity others must not go towards.
  package struct Neighbour: Sendable {
    /// [C · S · S] the clean latent and its noise.
    package let data, noise: Vector<Float>
    /// The time of the sample.
    package let time: Float

    /// Makes a neighbour.
    package init(data: Vector<Float>, noise: Vector<Float>, time: Float) {
      (self.data, self.noise, self.time) = (data, noise, time)
    }
  }
}
