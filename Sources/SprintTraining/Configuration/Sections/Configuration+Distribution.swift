import SprintCommunication

extension Configuration {
  /// How ranks share the work.
  package struct Distribution: Sendable, Equatable {
    /// Whether each rank stores and updates only its shards of the average and the moments, instead of all of them.
    package var isSharded: Bool
    /// The number format in which gradients travel.
    package var wire: GradientReduction.Wire
    /// Seconds within which a stopped rank is noticed.
    package var timeout: Double
  }
}

extension Configuration.Distribution {
  init(_ reader: ConfigurationReader) throws {
    isSharded = try reader.boolean("sharded", default: true)
    wire = try reader.choice("wire", default: .float32)
    timeout = try reader.number("timeout", default: 60, "a number of seconds from 5 to 1e6", in: 5...1e6)
    try reader.finish()
  }
}
