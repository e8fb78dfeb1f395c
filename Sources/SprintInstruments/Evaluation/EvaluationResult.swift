import SprintFormats
import SprintKernels

/// The numbers of an evaluation, and all that they depend on. Numbers that cannot be computed are nil.
package struct EvaluationResult: Sendable, Encodable {
  /// One side of the comparison.
  package struct Side: Sendable, Encodable {
    /// The file or folder.
    package let path: String
    /// The number of images; nil of statistics that do not say.
    package let images: Int?
    /// The number of pictures that could not be used.
    package let leftOut: Int
    /// C x H x W of an image.
    package let extents: String?
    /// How the images were made, as their file says.
    package let origin: String?
    /// Whether distances are of statistics that were stored.
    package let isStatistics: Bool
    /// The number of images that precision and recall compare.
    package let compared: Int
  }

  /// Fréchet distances of Inception's pool, of its spatial features, of DINOv2's class token, and of pixels.
  package var fid, sfid, fdd, fd: Double?
  /// Mean and deviation over splits of 5,000 images.
  package var inceptionScore, inceptionScoreDeviation: Double?
  /// With k = 3.
  package var precision, recall: Double?
  /// The network, and the SHA-256 of its weights' file.
  package let network: String
  package let networkSha256: String?
  package let samples: Side
  package let reference: Side?
  /// Why numbers are missing, by name.
  package private(set) var notComputed: [String: String] = [:]

  init(_ network: EvaluationNetwork, _ samples: Side, _ reference: Side?) {
    (self.network, networkSha256) = (network.name, network.fingerprint)
    (self.samples, self.reference) = (samples, reference)
  }

  /// Leaves out numbers for a reason.
  mutating func omit(_ names: [String], _ reason: String) { for name in names { notComputed[name] = reason } }

  /// Sets the numbers of the samples alone.
  mutating func rate(_ own: MeasuredSet) {
    guard network.hasPrefix("inception") else {
      return omit(["inception_score"], "it takes the classes of Inception")
    }
    guard let score = own.score?.result else {
      return omit(["inception_score"], "it takes images, and the samples hold statistics alone")
    }
    (inceptionScore, inceptionScoreDeviation) = (score.mean, score.deviation)
  }

  /// Sets the distances.
  ///
  /// - Parameter report: called with the number of finished distances and of all
  mutating func compare(
    _ own: MeasuredSet, _ other: MeasuredSet, threads: Int, report: (_ done: Int, _ total: Int) -> Void
  ) throws {
    guard let a = own.statistics, let b = other.statistics else { return }
    let total = network.hasPrefix("inception") && a.spatial != nil && b.spatial != nil ? 2 : 1
    report(0, total)
    let distance = try distance(a.pooled, b.pooled, threads)
    report(1, total)
    switch network {
    case "pixels": fd = distance
    case let name where name.hasPrefix("inception"): fid = distance
    default: fdd = distance
    }
    guard network.hasPrefix("inception") else { return }
    guard let first = a.spatial, let second = b.spatial else {
      return omit(
        ["sfid"], "the \(a.spatial == nil ? "samples" : "reference") has no spatial statistics (mu_s, sigma_s)")
    }
    sfid = try self.distance(first, second, threads)
    report(2, total)
  }

  private func distance(_ a: Gaussian, _ b: Gaussian, _ threads: Int) throws -> Double {
    guard a.mean.count == b.mean.count else {
      throw FileError.unusable(
        path: reference?.path ?? samples.path,
        problem: "\(b.mean.count) features, those of the samples are \(a.mean.count)",
        remedy: EvaluationRemedy.saveStatistics)
    }
    do { return try a.frechetDistance(to: b, threads: threads) } catch let failure as LAPACK.Failure {
      throw FileError.unusable(path: reference?.path ?? samples.path, problem: "\(failure)")
    }
  }
}
