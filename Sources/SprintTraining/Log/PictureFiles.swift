import Foundation
import SprintFormats

/// The pictures of a run on their way to the disk. Those that cannot be written wait in memory, the latest few of them,
/// and are written when it works again.
struct PictureFiles {
  private struct Waiting {
    let path: String
    let step: Int
    let png: Data
  }

  private var waiting: [Waiting] = []
  /// The steps of pictures that had to give way to later ones.
  private var lost: ClosedRange<Int>?
  private static let (mostFiles, mostBytes) = (8, 32 << 20)

  /// Whether none waits.
  var isEmpty: Bool { waiting.isEmpty }

  /// The steps of pictures that wait or had to give way.
  var unwritten: ClosedRange<Int>? { waiting.reduce(lost) { ClosedRange($0, and: $1.step) } }

  /// Writes a picture, after those that wait. Throws where it has to wait too.
  mutating func write(_ png: Data, to path: String, step: Int) throws {
    waiting.append(Waiting(path: path, step: step, png: png))
    defer { giveWay() }
    try flush()
  }

  /// Writes the pictures that wait.
  mutating func flush() throws {
    while let first = waiting.first {
      // In place of a folder that was removed. It does not help where the run's folder is away, and must not.
      mkdir((first.path as NSString).deletingLastPathComponent, 0o755)
      try AtomicFile.write(first.png, to: first.path)
      waiting.removeFirst()
    }
  }

  private mutating func giveWay() {
    while waiting.count > Self.mostFiles || waiting.reduce(0, { $0 + $1.png.count }) > Self.mostBytes {
      lost = ClosedRange(lost, and: waiting.removeFirst().step)
    }
  }
}
