import SprintModel

/// The pull of a sample towards its class: weak + scale · (conditional - weak).
package struct Guidance: Sendable, Equatable {
  /// The part that the weak branch of the network lacks.
  package enum Kind: String, Sendable, CaseIterable {
    /// No weak branch runs.
    case none
    /// The weak branch lacks the class. arXiv 2207.12598.
    case classifierFree = "cfg"
    /// The weak branch lacks the deep path and, unless `keepsClass`, the class. SPRINT, arXiv 2510.21986, section 3.4.
    case pathDrop = "pdg"
  }

  /// The part that the weak branch lacks.
  package var kind: Kind
  /// The scale; at 1 or below only the conditional branch runs.
  package var scale: Double
  /// The scale of the class token's guidance, or nil for that of the latents.
  package var classTokenScale: Double?
  /// The times at which guidance acts; at others only the conditional branch runs. arXiv 2404.07724.
  package var interval: ClosedRange<Double>
  /// Whether the weak branch of path-drop guidance sees the class; the published one does not.
  package var keepsClass: Bool

  /// Makes guidance of a kind.
  package init(
    _ kind: Kind = .none, scale: Double = 1, interval: ClosedRange<Double> = 0...1, keepsClass: Bool = false,
    classTokenScale: Double? = nil
  ) {
    self.kind = kind
    self.scale = scale
    self.classTokenScale = classTokenScale
    self.interval = interval
    self.keepsClass = keepsClass
  }

  /// Whether a weak branch runs at time `t`.
  package func acts(at t: Double) -> Bool { kind != .none && scale > 1 && interval.contains(t) }
}

extension Guidance.Kind {
  /// What this guidance needs and a network lacks, in words; nil where the network has a weak branch.
  package func unmetNeed(in model: ModelConfiguration) -> String? {
    switch self {
    case .classifierFree where model.classes == 0:
      "classes, and the model has `classes: 0`: without a class all images are alike to it; use pdg"
    case .pathDrop where model.fusion == .none: "two paths, and the model has `fusion: none`"
    default: nil
    }
  }
}
