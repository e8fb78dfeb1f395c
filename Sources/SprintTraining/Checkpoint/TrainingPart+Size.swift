extension TrainingPart {
  /// Returns the bytes of all parts together for a network with so many weights: those of a checkpoint, and of a snapshot.
  package static func bytes(weights: Int) -> Int { allCases.count * weights * MemoryLayout<Float>.stride }
}
