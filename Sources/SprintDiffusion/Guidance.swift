/// How a sample is pulled towards its class: weak + scale · (conditional - weak).
package struct Guidance: Sendable, Equatable {
  /// What the weak branch lacks.
  package enum Kind: String, Sendable, CaseIterable {
    /// There is no weak branch.
    case none
    /// The class. arXiv 2207.12598.
    case classifierFree = "cfg"
    /// The deep path and, unless kept, the class. arXiv 2510.21986, section 3.4.
    case pathDrop = "pdg"
  }

  /// What the weak branch lacks.
  package var kind: Kind
  /// The scale; at 1 or below the conditional branch alone is used.
  package var scale: Double
  /// Times at which guidance acts; elsewhere only the conditional branch runs. arXiv 2404.07724.
  package var interval: ClosedRange<Double>
  /// Whether path-drop's weak branch sees the class; the published one does not.
  package var keepsClass: Bool

  /// Guidance of a kind.
  package init(_ kind: Kind = .none, scale: Double = 1, interval: ClosedRange<Double> = 0...1, keepsClass: Bool = false)
  {
    self.kind = kind
    self.scale = scale
    self.interval = interval
    self.keepsClass = keepsClass
  }

  /// Whether a weak branch runs at time `t`.
  package func acts(at t: Double) -> Bool { kind != .none && scale > 1 && interval.contains(t) }
}
