import SprintFormats
import SprintKernels

extension LatentDataset {
  /// Samples that the fingerprint reads.
  private static let sampled = 16

  /// Hashes the number of samples, their shape, all labels, and some samples as they are stored. It tells one data set
  /// from another wherever the files lie and however many there are, and is read in a moment.
  package func fingerprint() throws -> Fingerprint {
    let memory = Arena(count: storedElements)
    var sum = Fingerprint.Sum()
    sum.add([count, channels, side, storedElements])
    sum.add((0..<count).map(label))
    let sampled = min(count, Self.sampled)
    try withExtendedLifetime(memory) {
      for k in 0..<sampled {
        try readStored(k * count / sampled, into: memory.elements)
        sum.add(Array(memory.elements.buffer))
      }
    }
    return sum.fingerprint
  }
}
