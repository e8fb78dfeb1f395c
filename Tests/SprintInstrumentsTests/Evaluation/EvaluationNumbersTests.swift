import Foundation
import SprintFormats
import SprintInstruments
import SprintKernels
import SprintTestSupport
import Testing

/// The numbers of an evaluation against `Tests/Reference/evaluation_reference.py`, which states them in plain numpy.
@Suite struct EvaluationNumbersTests {
  private static let needsNumpy = Comment(rawValue: Python.lacks("numpy"))
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Returns n images of F correlated features, some of which repeat an earlier image.
  private func features(_ random: inout Randomness, _ n: Int, _ width: Int, shift: Float = 0, repeats: Int = 0)
    -> [[Float]]
  {
    let mixing = random.normal(width * width, deviation: 1 / Float(width).squareRoot())
    var rows = (0..<n).map { _ -> [Float] in
      let noise = random.normal(width)
      return (0..<width).map { f in shift + (0..<width).reduce(0) { $0 + noise[$1] * mixing[f * width + $1] } }
    }
    for i in 0..<repeats { rows[n - 1 - i] = rows[i] }
    return rows
  }

  private func reference(_ a: [[Float]], _ b: [[Float]], logits: [[Float]]? = nil) throws -> [String: Double] {
    func array(_ name: String, _ rows: [[Float]]) -> NPYArray.Output {
      .init(name, .float32, shape: [rows.count, rows[0].count], Array(rows.joined()))
    }
    let path = folder.file("features.npz")
    try NPYArray.writeNPZ([array("a", a), array("b", b)] + (logits.map { [array("logits", $0)] } ?? []), to: path)
    let outcome = try Python.run(["Tests/Reference/evaluation_reference.py", path])
    try #require(outcome.code == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [String: Double])
  }

  /// Adds features in batches of 32 and of what remains.
  private func gaussian(_ rows: [[Float]]) -> Gaussian {
    var moments = FeatureMoments(features: rows[0].count)
    for start in stride(from: 0, to: rows.count, by: 32) {
      moments.add(Array(rows[start..<min(start + 32, rows.count)]))
    }
    return moments.gaussian
  }

  private func table(_ rows: [[Float]]) -> FeatureTable {
    var table = FeatureTable(places: rows.count, features: rows[0].count)
    for row in rows { table.append(row) }
    return table
  }

  private func isNear(_ found: Double, _ expected: Double?) -> Bool {
    expected.map { abs(found - $0) <= 1e-6 * abs($0) } ?? false
  }

  @Test(
    "The Frechet distance equals numpy's, also of fewer images than features and of means far from 0",
    .enabled(if: Python.has("numpy"), needsNumpy),
    arguments: [(300, 250, 24, Float(0)), (60, 50, 128, 0), (40, 300, 96, 0), (2, 3, 5, 0), (200, 200, 16, 1000)])
  func frechet(n: Int, m: Int, width: Int, shift: Float) throws {
    var random = Randomness()
    let a = features(&random, n, width, shift: shift)
    let b = features(&random, m, width, shift: shift + 0.5)
    let found = try gaussian(a).frechetDistance(to: gaussian(b))
    let expected = try reference(a, b)
    #expect(isNear(found, expected["frechet"]), "\(found) against \(expected)")
    if n > width, m > width { #expect(isNear(found, expected["frechet_of_covariances"]), "\(found), \(expected)") }
  }

  @Test("The distance of a set from itself is 0, and both directions agree", arguments: [(40, 128), (300, 24)])
  func identical(n: Int, width: Int) throws {
    var random = Randomness()
    let (a, b) = (gaussian(features(&random, n, width)), gaussian(features(&random, n + 7, width)))
    #expect(try a.frechetDistance(to: a) < 1e-6)
    let (there, back) = (try a.frechetDistance(to: b), try b.frechetDistance(to: a))
    #expect(there > 1 && abs(there - back) < 1e-9 * there, "\(there) and \(back)")
  }

  @Test("A covariance without its true zeros, as float32 stores it, moves the distance by that rounding alone")
  func rounded() throws {
    var random = Randomness()
    let (a, b) = (gaussian(features(&random, 300, 24)), gaussian(features(&random, 300, 24)))
    let float32 = DoubleMatrix(rows: 24, columns: 24, b.covariance.values.map { Double(Float($0)) })
    let stored = Gaussian(mean: b.mean, covariance: float32, count: nil)
    let (exact, found) = (try a.frechetDistance(to: b), try a.frechetDistance(to: stored))
    #expect(abs(exact - found) < 1e-5 * exact, "\(exact) and \(found)")
  }

  @Test(
    "The Inception score equals numpy's over whole splits and a last one that is smaller",
    .enabled(if: Python.has("numpy"), needsNumpy), arguments: [1, 5000, 5003])
  func inceptionScore(count: Int) throws {
    var random = Randomness()
    let logits = (0..<count).map { _ in random.normal(11, deviation: 3) }
    var score = InceptionScore()
    for start in stride(from: 0, to: count, by: 32) { score.add(Array(logits[start..<min(start + 32, count)])) }
    let found = try #require(score.result)
    let a = features(&random, 2, 2)
    let expected = try reference(a, a, logits: logits)
    #expect(isNear(found.mean, expected["inception_score"]), "\(found) against \(expected)")
    #expect(abs(found.deviation - (expected["inception_score_deviation"] ?? .nan)) < 1e-6)
  }

  @Test(
    "Precision and recall equal numpy's on any number of ranks and workers, with repeated images too",
    .enabled(if: Python.has("numpy"), needsNumpy), arguments: [1, 2, 3])
  func precisionRecall(ranks: Int) throws {
    var random = Randomness()
    let references = features(&random, 530, 6, repeats: 9)
    var samples = features(&random, 290, 6, shift: 0.7, repeats: 5)
    samples.replaceSubrange(0..<4, with: references[0..<4])
    let (a, b) = (table(samples), table(references))
    let found = try Ranks.run(ranks) { try PrecisionRecall.of(a, b, $0, Workers($0.rank + 1)) }
    let expected = try reference(samples, references)
    for result in found {
      // Shares of equal counts; numpy's mean rounds the quotient otherwise.
      #expect(isNear(result?.precision ?? .nan, expected["precision"]), "\(found) \(expected)")
      #expect(isNear(result?.recall ?? .nan, expected["recall"]), "\(found) \(expected)")
    }
    #expect(try #require(expected["precision"]) < 1 && expected["recall"] ?? 1 < 1, "the sets differ too little")
  }

  @Test("A stop ends the comparison at every rank")
  func stopped() throws {
    var random = Randomness()
    let a = table(features(&random, 600, 3))
    let found = try Ranks.run(2) { communicator in
      try PrecisionRecall.of(a, a, communicator, Workers(1)) { _, _ in communicator.rank == 0 }
    }
    #expect(found == [nil, nil])
  }
}
