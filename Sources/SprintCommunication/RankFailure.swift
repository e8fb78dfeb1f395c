/// An error that another rank met and reported to rank zero.
package struct RankFailure: Error, CustomStringConvertible {
  /// The rank that met the error.
  package let rank: Int
  /// The rank's description of the error.
  package let message: String

  /// One line.
  package var description: String { "rank \(rank): \(message)" }
}

/// Ends the work of this rank after an error at another rank, which rank zero reports.
package struct FailureElsewhere: Error {}
