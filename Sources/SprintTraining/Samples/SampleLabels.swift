import Foundation
import SprintFormats
import SprintKernels

/// The classes of the images to draw.
package enum SampleLabels: Sendable, Equatable {
  /// Image i has the i-th class, over and over.
  case balanced
  /// Each image has any of the classes, all equally likely, as in the published evaluation.
  case random
  /// Image i has the i-th number of a text file, over and over.
  case listed(path: String)

  /// Reads `balanced`, `random` or a path.
  package init(_ argument: String) {
    switch argument {
    case "balanced": self = .balanced
    case "random": self = .random
    default: self = .listed(path: argument)
    }
  }

  /// Returns the class of each of `count` images. The class of image i does not depend on `count`.
  ///
  /// - Parameters:
  ///   - classes: those to choose from
  ///   - seed: the seed of the images
  /// - Throws: if the file names a class that is not among `classes`
  package func labels(_ count: Int, of classes: [Int], seed: UInt64) throws -> [Int] {
    switch self {
    case .balanced: return (0..<count).map { classes[$0 % classes.count] }
    case .random:
      let random = Philox(seed: seed, purpose: .sampleLabels)
      return (0..<count).map { image in
        classes[min(classes.count - 1, Int(random.uniform(draw: UInt64(image)) * Float(classes.count)))]
      }
    case .listed(let path):
      let listed = try Self.numbers(path, among: Set(classes))
      return (0..<count).map { listed[$0 % listed.count] }
    }
  }

  /// A text that differs where the classes differ.
  package var identity: String {
    get throws {
      switch self {
      case .balanced: "balanced"
      case .random: "random"
      case .listed(let path): try Fingerprint(of: path).sha256
      }
    }
  }

  private static func numbers(_ path: String, among classes: Set<Int>) throws -> [Int] {
    let file = try RandomAccessFile(reading: path)
    let size = try file.size
    guard size > 0, size <= largestFile else {
      throw FileError.unusable(path: path, problem: "has \(size) bytes, expected class numbers, at most 100 MB of them")
    }
    var bytes = [UInt8](repeating: 0, count: size)
    try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    let words = bytes.split { $0 == UInt8(ascii: ",") || $0 <= UInt8(ascii: " ") }
    guard !words.isEmpty else {
      throw FileError.unusable(path: path, problem: "names no class, expected numbers of classes")
    }
    return try words.enumerated().map { index, word in
      let text = String(decoding: word.prefix(20), as: UTF8.self)
      guard let number = Int(text), classes.contains(number) else {
        throw FileError.unexpected(
          path: path, name: "label \(index)", found: "`\(text)`", expected: "the number of one of the classes")
      }
      return number
    }
  }

  private static let largestFile = 100_000_000
}
