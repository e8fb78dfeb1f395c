import Foundation
import SprintFormats
import SprintKernels

/// What distances need to know of a set of images: `mu` and `sigma` of its features and, of Inception, `mu_s` and
/// `sigma_s` of the spatial ones. ADM, pytorch-fid and others store them under these names in an npz file.
package struct FeatureStatistics: Sendable {
  /// The features whose distance is FID, FDD or that of pixels.
  package let pooled: Gaussian
  /// The features whose distance is sFID.
  package let spatial: Gaussian?
  /// What they are of; nil in a file that does not say, as those of other programs.
  package let source: Source?

  /// What statistics are of.
  package struct Source: Sendable, Equatable, Codable {
    /// The network's name.
    package let network: String
    /// The SHA-256 of the file of its weights; nil of pixels.
    package let networkSha256: String?
    /// The number of images, and C x H x W of one.
    package let images: Int
    package let extents: String
    /// Where the images are, and what their file says about how they were made.
    package let path, origin: String

    private enum CodingKeys: String, CodingKey {
      case network, images, extents, path, origin
      case networkSha256 = "network_sha256"
    }

    /// Whether another network has made other numbers.
    func isOther(than network: EvaluationNetwork) -> Bool {
      self.network != network.name || networkSha256 != network.fingerprint
    }

    /// E.g. `inception (SHA-256 01234567...)`.
    var networkName: String { Self.describe(network, networkSha256) }

    static func describe(_ name: String, _ fingerprint: String?) -> String {
      fingerprint.map { "\(name) (weights of SHA-256 \($0.prefix(12))...)" } ?? name
    }
  }

  package init(pooled: Gaussian, spatial: Gaussian?, source: Source?) {
    (self.pooled, self.spatial, self.source) = (pooled, spatial, source)
  }
}

extension FeatureStatistics {
  private static let metadata = "metadata"

  /// Whether an archive holds statistics.
  static func areIn(_ archive: ZipArchive) -> Bool { archive.has("mu.npy") || archive.has("sigma.npy") }

  /// Reads statistics; throws if they are none.
  package init(_ archive: ZipArchive) throws {
    let source = try Self.source(archive)
    pooled = try Self.gaussian(archive, "mu", "sigma", source?.images)
    let hasSpatial = archive.has("mu_s.npy") || archive.has("sigma_s.npy")
    spatial = hasSpatial ? try Self.gaussian(archive, "mu_s", "sigma_s", source?.images) : nil
    self.source = source
  }

  private static func source(_ archive: ZipArchive) throws -> Source? {
    guard archive.has("\(metadata).npy") else { return nil }
    let array = try array(archive, metadata)
    let bytes = array.element == .uint8 ? try array.integers().map { UInt8(truncatingIfNeeded: $0) } : []
    guard let source = try? JSONDecoder().decode(Source.self, from: Data(bytes)), source.images > 0 else {
      throw FileError.unusable(
        path: archive.path, problem: "`\(metadata)` is no description of statistics as sprint writes it; remove it")
    }
    return source
  }

  private static func array(_ archive: ZipArchive, _ name: String) throws -> NPYArray {
    try NPYArray(archive.contents(of: "\(name).npy"), name: "\(archive.path): `\(name)`")
  }

  private static func gaussian(
    _ archive: ZipArchive, _ meanName: String, _ name: String, _ count: Int?
  ) throws -> Gaussian {
    let (mean, covariance) = (try array(archive, meanName), try array(archive, name))
    let features = mean.count
    guard mean.shape == [features], features > 0, covariance.shape == [features, features] else {
      throw FileError.unusable(
        path: archive.path,
        problem: "`\(meanName)` has shape \(mean.shape) and `\(name)` \(covariance.shape), expected [F] and [F, F]")
    }
    let matrix = DoubleMatrix(rows: features, columns: features, covariance.doubles())
    try check(matrix, mean.doubles(), archive.path, meanName, name)
    return Gaussian(mean: mean.doubles(), covariance: matrix, count: count)
  }

  /// Throws unless the numbers can be mean and covariance. Float32 files of other programs are symmetric but for
  /// rounding.
  private static func check(
    _ matrix: DoubleMatrix, _ mean: [Double], _ path: String, _ meanName: String, _ name: String
  ) throws {
    guard (mean + matrix.values).allSatisfy({ $0.isFinite && abs($0) < 1e100 }) else {
      throw FileError.unusable(path: path, problem: "`\(meanName)` or `\(name)` holds numbers that are not finite")
    }
    let largest = matrix.values.reduce(0) { max($0, abs($1)) }
    for r in 0..<matrix.rows {
      guard matrix[r, r] >= -1e-5 * largest else {
        throw FileError.unusable(
          path: path, problem: "`\(name)` has the variance \(matrix[r, r]), expected none below 0")
      }
      for c in 0..<r where abs(matrix[r, c] - matrix[c, r]) > 1e-5 * largest {
        throw FileError.unusable(path: path, problem: "`\(name)` is not symmetric, as a covariance is")
      }
    }
  }

  /// Writes the statistics as an npz file that numpy reads; `metadata` holds the source as JSON, in bytes.
  package func write(to path: String) throws {
    func arrays(_ gaussian: Gaussian, _ ending: String) -> [NPYArray.Output] {
      let (features, covariance) = (gaussian.mean.count, gaussian.covariance.values)
      return [
        NPYArray.Output("mu\(ending)", .float64, shape: [features], gaussian.mean),
        NPYArray.Output("sigma\(ending)", .float64, shape: [features, features], covariance),
      ]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = try source.map { Array(try encoder.encode($0)) } ?? []
    let text = json.isEmpty ? [] : [NPYArray.Output(Self.metadata, .uint8, shape: [json.count], json)]
    try NPYArray.writeNPZ(
      arrays(pooled, "") + (spatial.map { arrays($0, "_s") } ?? []) + text,
      comment: "statistics of \(source?.networkName ?? "features"), computed by sprint", to: path)
  }
}
