import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintKernels
import SprintModel
import SprintTraining

/// Measures in turn how long it takes to save and load the training state of a network, and to write, read and hash the
/// same number of bytes plainly.
package final class CheckpointBench {
  /// The seconds of one round.
  package struct Round: Sendable {
    /// To save a checkpoint with its manifest, and to write, sync and hash as many bytes.
    package let save, plainWrite: Double
    /// To verify and load a checkpoint, and to hash and read as many bytes.
    package let load, plainRead: Double
  }

  private let configuration: Configuration
  private let optimizer: Optimizer
  private let snapshot: TrainingSnapshot
  private let folder: String

  /// The bytes of weights, average and moments.
  package var bytes: Int { TrainingPart.bytes(weights: optimizer.gradients.elements.count) }

  /// Prepares a bench of the published network of a size, whose files lie in `folder`.
  package init(size: String, folder: String, workers: Workers) throws {
    configuration = try .forBench(size: size)
    self.folder = folder
    try AtomicFile.createFolder(folder)
    let network = Network(configuration.model, workers: workers)
    optimizer = Optimizer(network, configuration.optimizer)
    snapshot = TrainingSnapshot(network)
    for part in TrainingPart.allCases { network.layout.initialize(snapshot[part].elements, seed: 0) }
    optimizer.restart(from: snapshot[.weights])
  }

  /// Measures one round.
  package func round() throws -> Round {
    let (checkpoint, plain) = ("\(folder)/bench.h5", "\(folder)/bench.bin")
    defer { for path in [checkpoint, plain, Checkpoint.manifest(of: checkpoint)] { unlink(path) } }
    let data = DataRecord(
      LatentProperties(scale: [1], shift: [0], kind: "latents", pixelRange: -1...1, vae: ""), samples: 1)
    return try Round(
      save: seconds {
        try optimizer.collect(into: snapshot)
        try Checkpoint.write(TrainingPosition(), configuration, data, to: checkpoint) { snapshot[$0] }
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

  private func inPieces(_ arena: ParameterArena<Float>, _ body: (UnsafeMutableRawPointer, Int) throws -> Void) throws {
    let bytes = UnsafeMutableRawBufferPointer(arena.elements.buffer)
    guard let base = bytes.baseAddress else { return }
    for start in stride(from: 0, to: bytes.count, by: 4 << 20) {
      try body(base + start, min(4 << 20, bytes.count - start))
    }
  }
}
