import SprintData
import SprintFormats
import SprintKernels

/// The latents of samples or of a data set, as a file stores them; of moments the means.
package struct StoredSamples {
  /// The number of latents to use, and the class of each.
  package let count: Int
  package let labels: [Int]
  private let dataset: LatentDataset
  private let path: String
  /// Room for one latent, or the moments of one.
  private let memory: Arena

  /// Opens a file.
  ///
  /// - Parameter count: how many latents to use, from the first one on; nil for all
  package init(path: String, count: Int?) throws {
    (self.path, dataset) = (path, try LatentDataset(paths: [path]))
    let count = count ?? dataset.count
    guard count <= dataset.count else {
      throw dataset.unusable("holds \(dataset.count) samples, expected at least \(count) (--count)")
    }
    (self.count, labels) = (count, (0..<count).map(dataset.label))
    memory = Arena(count: dataset.storedElements)
  }

  /// C and S of a latent.
  package var channels: Int { dataset.channels }
  package var side: Int { dataset.side }
  /// What the numbers are.
  package var properties: LatentProperties { dataset.properties }

  /// What the file says of its origin.
  package var origin: SampleOrigin {
    SampleOrigin(file: dataset.source.isEmpty ? "latents of \(path)" : dataset.source)
  }

  /// Text that differs where the latents differ.
  package var identity: String {
    get throws { "\(try FileStamp(path: path)) \(properties) \(dataset.source)" }
  }

  /// The number of latents that a rank decodes at once.
  package static let tile = LatentDecoder.batch

  /// Opens the autoencoder that decodes these latents.
  package func decoder(_ path: String, _ workers: Workers) throws -> LatentDecoder {
    try LatentDecoder(
      path: path, channels: channels, side: side, properties, in: .stored, of: self.path, workers)
  }

  /// Returns [tile, C, S, S] latents from `first` on, filled up with the last one; throws if one is not finite.
  package func tile(from first: Int) throws -> [Float] {
    var values = [Float](repeating: 0, count: Self.tile * dataset.latentElements)
    let stored = memory.elements
    for image in 0..<Self.tile {
      let index = min(first + image, count - 1)
      try dataset.readStored(index, into: stored)
      let latent = stored[0..<dataset.latentElements]
      if let bad = latent.buffer.first(where: { !$0.isFinite }) {
        throw FileError.unusable(path: path, problem: "sample \(index) holds \(bad), expected finite numbers")
      }
      let start = image * dataset.latentElements
      values.replaceSubrange(start..<start + dataset.latentElements, with: latent.buffer)
    }
    return values
  }
}
