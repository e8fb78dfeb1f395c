import Foundation
import SprintTestSupport
import Testing

/// Odd pictures in folders of classes, random networks of the right shapes, and commands on them.
struct Photos {
  /// Whether Python can make them.
  static let canBeMade = Python.has("numpy", "PIL", "safetensors")
  static let missing = Comment(rawValue: Python.lacks("numpy, Pillow and safetensors"))

  let folder: TemporaryFolder
  /// The number of all pictures, and the paths of the broken ones.
  let count: Int
  let broken: [String]

  /// Makes `count` pictures in `photos`.
  init(_ count: Int, in folder: TemporaryFolder) throws {
    (self.folder, self.count) = (folder, count)
    let made = try Python.run(["Tests/Reference/pictures.py", "photos", folder.file("photos"), "\(count)"])
    try #require(made.code == 0, "\(made.errors)")
    broken = try #require(try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String])
  }

  /// The folder of the pictures.
  var path: String { folder.file("photos") }

  /// Writes an autoencoder whose images have twice the side of its latents, and returns its path.
  func autoencoder(channels: Int) throws -> String {
    try write("tiny_autoencoder.py", "\(channels)", "autoencoder.safetensors")
  }

  /// Writes a network for evaluations, `inception` or `dinov2`, and returns its path.
  func features(_ network: String) throws -> String {
    try write("tiny_features.py", network, "\(network).safetensors")
  }

  private func write(_ script: String, _ argument: String, _ name: String) throws -> String {
    let made = try Python.run(["Tests/Reference/\(script)", argument, folder.file(name)])
    try #require(made.code == 0, "\(made.errors)")
    return folder.file(name)
  }

  /// The arguments of an import that encodes the pictures and their mirror images.
  func encoding(_ out: String, side: Int, _ autoencoder: String) -> [String] {
    [
      "import", "--from", "images", path, folder.file(out), "--side", "\(side)", "--autoencoder", autoencoder,
      "--multiplier", "1", "--flip", "--skip-broken",
    ]
  }

  /// Runs `sprint`, over ranks if their number is given.
  func sprint(
    _ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:]
  ) throws -> SprintCommand.Outcome {
    guard let ranks else {
      return try SprintCommand(SprintCommand.sprint, arguments, environment: environment, in: folder).wait(600)
    }
    return try SprintCommand(
      "/usr/bin/env",
      ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "\(ranks)", SprintCommand.sprint] + arguments,
      environment: environment, in: folder
    ).wait(600)
  }

  /// Runs a command with --json and returns the object that it prints.
  func object(_ arguments: [String], ranks: Int? = nil) throws -> [String: Any] {
    let outcome = try sprint(arguments + ["--json"], ranks: ranks)
    try #require(outcome.code == 0, "\(outcome)")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }
}
