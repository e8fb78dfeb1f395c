import SprintKernels

/// The memory of forward (and backward) passes of a network, planned once for passes up to a size and used by one pass
/// after the other. The matrices change from pass to pass, their places never; the state of a pass is a `Pass`.
package final class PassMemory: Sendable {
  /// The matrices, in the precision of the passes.
  enum Matrices {
    case float32(PassMatrices<Float>)
    case bfloat16(PassMatrices<BFloat16>)
  }

  /// The largest number of samples in a pass.
  package let batch: Int
  /// The largest number of tokens of a sample in the middle.
  package let kept: Int
  /// The precision of the passes.
  package let precision: Precision
  let matrices: Matrices
  /// The gradients that activations share memory with.
  package let sharedGradients: ParameterArena<Float>?
  private let arena: Arena

  /// Plans memory of its own for passes of `network`.
  package convenience init(_ network: Network, _ size: PassSize) {
    self.init(network, size, in: Arena(count: PassMemory.count(network, size)))
  }

  /// Plans memory in `arena`, which holds at least `count(network, size)` floats and which nothing else may use
  /// meanwhile.
  ///
  /// - Parameter gradients: the gradients whose memory passes share, if their size says so
  package init(_ network: Network, _ size: PassSize, in arena: Arena, gradients: ParameterArena<Float>? = nil) {
    precondition(!size.sharesGradients || gradients != nil, "no gradients to share memory with")
    arena.reuse()
    sharedGradients = size.sharesGradients ? gradients : nil
    (batch, kept, self.arena) = (size.batch, size.kept ?? network.configuration.tokens, arena)
    precision = size.precision
    matrices = Self.matrices(
      network.configuration, threads: network.workers.count, size,
      MatrixCutter(arena, room: Self.room(network.configuration, size), gradients: sharedGradients?.elements))
  }

  /// Returns the number of floats that passes of a size need.
  package static func count(_ network: Network, _ size: PassSize) -> Int {
    count(network.configuration, threads: network.workers.count, size)
  }

  /// Returns the number of floats that passes of a size need on `threads` threads; `Int.max` stands for all numbers
  /// that are too large for an `Int`.
  package static func count(_ configuration: ModelConfiguration, threads: Int, _ size: PassSize) -> Int {
    let cut = MatrixCutter(nil, room: room(configuration, size))
    _ = matrices(configuration, threads: threads, size, cut)
    return Int(exactly: cut.floats) ?? .max
  }

  private static func room(_ configuration: ModelConfiguration, _ size: PassSize) -> GradientRoom? {
    size.sharesGradients ? GradientRoom(ParameterLayout(configuration)) : nil
  }

  private static func matrices(
    _ configuration: ModelConfiguration, threads: Int, _ size: PassSize, _ cut: MatrixCutter
  ) -> Matrices {
    switch size.precision {
    case .float32: .float32(PassMatrices(configuration, threads: threads, size, cut))
    case .bfloat16: .bfloat16(PassMatrices(configuration, threads: threads, size, cut))
    }
  }

  /// [B, C · S · S] the velocity that the last forward pass found.
  package var velocity: Matrix<Float> {
    switch matrices {
    case .float32(let matrices): matrices.velocity
    case .bfloat16(let matrices): matrices.velocity
    }
  }

  /// [B, C · S · S] the gradient of the loss with respect to `velocity`, written by the caller before the backward
  /// pass.
  package var velocityGradient: Matrix<Float> {
    switch matrices {
    case .float32(let matrices): matrices.backward.velocityGradient
    case .bfloat16(let matrices): matrices.backward.velocityGradient
    }
  }

  /// [B, F] the velocity of the class tokens that the last forward pass found, if the network has them.
  package var classVelocity: Matrix<Float>? {
    switch matrices {
    case .float32(let matrices): matrices.classToken?.velocity
    case .bfloat16(let matrices): matrices.classToken?.velocity
    }
  }

  /// [B, F] the gradient of the loss with respect to `classVelocity`, written by the caller before the backward pass.
  package var classVelocityGradient: Matrix<Float>? {
    switch matrices {
    case .float32(let matrices): matrices.backward.classToken?.velocity
    case .bfloat16(let matrices): matrices.backward.classToken?.velocity
    }
  }

  /// The projected features [rows, F] of a pass and the place of their gradients, or nil if the pass read no features.
  package func features(of pass: Pass) -> (values: Matrix<Float>, gradients: Matrix<Float>)? {
    switch matrices {
    case .float32(let matrices): matrices.features(of: pass)
    case .bfloat16(let matrices): matrices.features(of: pass)
    }
  }

  /// The mean cross-entropy of each layer of a teacher's attention over samples, heads and rows; empty if the pass
  /// compared none.
  package func attentionLosses(of pass: Pass) -> [Double] {
    switch matrices {
    case .float32(let matrices): matrices.attentionLosses(of: pass)
    case .bfloat16(let matrices): matrices.attentionLosses(of: pass)
    }
  }
}
