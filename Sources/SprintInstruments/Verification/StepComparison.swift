import SprintDiffusion

/// The comparison of a case's training steps with the expected ones.
struct StepComparison {
  var velocity, losses, gradients: VerifiedGroup
  /// The loss of the alignment, in cases that compare it on its own.
  var alignment: VerifiedGroup?
  /// The angle between gradients, in cases that have it.
  var angle: VerifiedGroup?

  /// Makes groups with the given tolerances.
  init(_ recipe: CaseRecipe, velocity: Double, losses: Double, gradients: Double, alignment: Double) {
    self.velocity = VerifiedGroup("velocity", tolerance: velocity)
    self.losses = VerifiedGroup("losses", tolerance: losses)
    self.gradients = VerifiedGroup("gradients", tolerance: gradients)
    if recipe.method == .srdit {
      self.alignment = VerifiedGroup("alignment", tolerance: alignment, isAbsolute: true)
    }
    angle = recipe.angleBlock.map { _ in VerifiedGroup("angle", tolerance: 2e-6, isAbsolute: true) }
  }

  /// All groups.
  var groups: [VerifiedGroup] { [velocity, losses, gradients] + [alignment, angle].compactMap(\.self) }
}

extension CaseRecipe {
  /// The losses of a step under their names in a case.
  func named(_ losses: Losses) -> [(String, Double)] {
    switch method {
    case .sprint: [("loss", losses.denoising), ("align", losses.alignment)]
    case .haste: [("loss", losses.denoising), ("align", losses.alignment), ("attention", losses.attention)]
    case .srdit:
      [
        ("loss.image", losses.denoising), ("loss.class", losses.classToken), ("loss.align", losses.alignment),
        ("loss.contrast", losses.contrast), ("loss.total", factors.total(losses)),
      ]
    }
  }
}
