extension Configuration {
  /// When checkpoints are written, and how many are kept.
  package struct Checkpoints: Sendable, Equatable {
    /// What happens when a checkpoint cannot be written.
    package enum Failure: String, Sendable, CaseIterable {
      /// Training goes on and tries the next checkpoint when it is due.
      case goOn = "continue"
      /// Training stops with a message.
      case stop
    }

    /// Steps between checkpoints.
    package var interval: Int
    /// The number of newest checkpoints that are kept; with 0 none is ever written.
    package var keep: Int
    /// Checkpoints at multiples of this step are kept for ever; nil for none.
    package var keepEvery: Int?
    /// What happens when a checkpoint cannot be written.
    package var onFailure: Failure
    /// Whether training goes on while a checkpoint is written. Rank zero then needs memory of four times the weights'
    /// size.
    package var isBackground: Bool

    /// Whether checkpoints are written at all.
    package var isOn: Bool { keep > 0 }
  }
}

extension Configuration.Checkpoints {
  init(_ reader: ConfigurationReader) throws {
    interval = try reader.integer("interval", default: 10_000)
    keep = try reader.integer("keep", default: 3, in: 0...1_000_000)
    keepEvery = reader.has("keep_every") ? try reader.integer("keep_every") : nil
    onFailure = try reader.choice("on_failure", default: .goOn)
    isBackground = try reader.boolean("background", default: true)
    try reader.finish()
  }
}
