import SprintTraining
import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// Measures saving and loading a network's full training state against plainly writing and reading as many bytes and hashing
/// them, in turn.
package final class CheckpointBench {
  /// Seconds of one round.
  package struct Round: Sendable {
    /// A checkpoint saved with its manifest, and as many bytes written, synced and hashed.
    package let save, plainWrite: Double
    /// A checkpoint verified and loaded, and as many bytes read and hashed.
    package let load, plainRead: Double
  }

  private let configuration: Configuration
  private let optimizer: Optimizer
  private let snapshot: TrainingSnapshot
  private let folder: String

  /// Bytes of weights, average and moments.
  package var bytes: Int { 4 * optimizer.weights.elements.count * MemoryLayout<Float>.stride }

  /// A bench of the published network of a size, with room for files in `folder`.
  package init(size: String, folder: String, workers: Workers) throws {
    configuration = try .forBench(size: size)
    self.folder = folder
    try AtomicFile.createFolder(folder)
    let network = Network(configuration.model, workers: workers)
    optimizer = Optimizer(network, configuration.optimizer)
    snapshot = TrainingSnapshot(network)
    network.layout.initialize(optimizer.weights.elements, seed: 0)
    optimizer.restart(from: optimizer.weights)
    for part in TrainingPart.allCases { snapshot[part].elements.copy(from: optimizer.weights.elements) }
  }

  /// One round.
  package func round() throws -> Round {
    let (checkpoint, plain) = ("\(folder)/bench.h5", "\(folder)/bench.bin")
    defer { for path in [checkpoint, plain, Checkpoint.manifest(of: checkpoint)] { unlink(path) } }
    let properties = LatentProperties(scale: [1], shift: [0], kind: "latents", pixelRange: -1...1, vae: "")
    return try Round(
      save: seconds {
        try optimizer.collect(into: snapshot)
        try Checkpoint.write(TrainingPosition(), configuration, properties, samples: 1, to: checkpoint) { snapshot[$0] }
      },
      plainWrite: seconds { try writePlainly(plain) },
      load: seconds { try optimizer.restore(try Checkpoint(path: checkpoint)) },
      plainRead: seconds { try readPlainly(plain) })
  }

  private func seconds(_ work: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(work) / .seconds(1)
  }

  private func writePlainly(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw FileError.last(path, "create the file") }
    defer { close(descriptor) }
    for part in TrainingPart.allCases {
      try inPieces(snapshot[part]) { address, count in
        guard write(descriptor, address, count) == count else { throw FileError.last(path, "write") }
      }
    }
    guard fsync(descriptor) == 0 else { throw FileError.last(path, "sync") }
    _ = try Fingerprint(of: path)
  }

  private func readPlainly(_ path: String) throws {
    _ = try Fingerprint(of: path)
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open") }
    defer { close(descriptor) }
    for part in TrainingPart.allCases {
      try inPieces(snapshot[part]) { address, count in
        guard read(descriptor, address, count) == count else { throw FileError.last(path, "read") }
      }
    }
  }

  private func inPieces(_ arena: ParameterArena, _ body: (UnsafeMutableRawPointer, Int) throws -> Void) throws {
    let bytes = UnsafeMutableRawBufferPointer(arena.elements.buffer)
    guard let base = bytes.baseAddress else { return }
    for start in stride(from: 0, to: bytes.count, by: 4 << 20) {
      try body(base + start, min(4 << 20, bytes.count - start))
    }
  }
}
