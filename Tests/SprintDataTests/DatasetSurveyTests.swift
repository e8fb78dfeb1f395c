import Foundation
import SprintData
import SprintTestSupport
import Testing

@Suite struct DatasetSurveyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes samples [2, 2, 2], or moments of one channel, and opens them.
  private func dataset(
    _ values: [[Float]], name: String = "/latents", numbers: [String: [Double]] = [:]
  ) throws -> LatentDataset {
    let path = folder.file("\(UUID().uuidString).h5")
    try DatasetFile.write(
      path, name: name, shape: [values.count, 2, 2, 2], values: values.flatMap(\.self),
      labels: values.indices.map(Int64.init), numbers: numbers)
    return try LatentDataset(paths: [path])
  }

  /// `count` samples of mean 0 and deviation about 1.
  private func samples(_ count: Int, scale: Float = 1) -> [[Float]] {
    (0..<count).map { index in (0..<8).map { scale * ($0 % 2 == index % 2 ? 1.1 : -0.9) } }
  }

  @Test("Sound samples raise no warning")
  func sound() throws {
    let survey = try DatasetSurvey(dataset(samples(6)), most: 100)
    #expect(survey.looked == 6 && survey.warnings.isEmpty && survey.problems.isEmpty)
    #expect(survey.channels.allSatisfy { abs($0.mean - 0.1) < 1e-6 && abs($0.deviation - 1) < 1e-6 })
  }

  @Test(
    "Samples of one number are told of, also at the end of a set of which few samples are looked at",
    arguments: [(Float(0), 150..<400, 400), (-7, 3..<4, 12), (0, 399..<400, 64)] as [(Float, Range<Int>, Int)])
  func unwritten(value: Float, places: Range<Int>, most: Int) throws {
    var values = samples(most == 12 ? 12 : 400)
    for place in places { values[place] = Array(repeating: value, count: 8) }
    let survey = try DatasetSurvey(dataset(values), most: most)
    let first =
      "of \(most) samples are one number throughout: sample \(places.lowerBound) is all \(value); were they ever"
    #expect(survey.warnings.contains { $0.contains(first) }, "\(survey.warnings)")
    #expect(survey.problems.isEmpty)
  }

  @Test(
    "Log-variances in the place of deviations are refused, and the remedy that is told makes them deviations",
    arguments: [[-9, -8.5, -9.5, -9], [-18, 0.5, -2, 1]] as [[Float]])
  func logVariances(second: [Float]) throws {
    let moments = (0..<3).map { [Float($0), 1, -1, 0] + second }
    let wrong = try dataset(moments, name: "/moments")
    let problem = try #require(DatasetSurvey(wrong, most: 10).problems.first)
    #expect(problem.contains("sample 0 has a deviation of \(second[0])") && problem.contains("exp(0.5 * x)"))
    let room = TestMatrix(1, 4)
    #expect { try wrong.latent(0, random: LatentRandomness(seed: 0), draw: 0, into: room.vector) } throws: {
      "\($0)".contains("exp(0.5 * x)")
    }
    let mended = try dataset(moments.map { $0[..<4] + $0[4...].map { exp(0.5 * $0) } }, name: "/moments")
    #expect(try DatasetSurvey(mended, most: 10).problems.isEmpty)
    try mended.latent(0, random: LatentRandomness(seed: 0), draw: 0, into: room.vector)
  }

  @Test("Numbers that are not finite are told of with their sample", arguments: [Float.nan, -.infinity])
  func nonFinite(value: Float) throws {
    var values = samples(5)
    values[3][2] = value
    let survey = try DatasetSurvey(dataset(values), most: 100)
    #expect(survey.problems.count == 1 && survey.problems[0].contains("sample 3 holds \(value)"))
    #expect(survey.channels.allSatisfy { $0.deviation.isFinite })
  }

  @Test(
    "Mirrored samples are looked at too: never written, scaled otherwise, or not finite",
    arguments: [
      (Float(0), "6 of 6 mirrored samples are one number throughout"), (0.2, "are both scaled alike?"),
      (.nan, "6 of 6 mirrored samples hold numbers that are not finite"),
    ] as [(Float, String)])
  func mirrored(factor: Float, words: String) throws {
    let path = folder.file("flip.h5")
    let values = samples(6).flatMap(\.self)
    try DatasetFile.write(
      path, shape: [6, 2, 2, 2], values: values, labels: (0..<6).map(Int64.init),
      more: [("/latents_flip", [6, 2, 2, 2], values.map { factor == 0 ? 0 : $0 * factor })])
    let survey = try DatasetSurvey(LatentDataset(paths: [path]), most: 100)
    #expect(
      (survey.warnings + survey.problems).contains { $0.contains(words) }, "\(survey.warnings) \(survey.problems)")
  }

  @Test("Numbers far from what a model expects are told of, and the scale that the warning names mends them")
  func scale() throws {
    let warnings = try DatasetSurvey(dataset(samples(4, scale: 5)), most: 100).warnings
    #expect(warnings.count == 1 && warnings[0].contains("deviation 5.00") && warnings[0].contains("scale and shift"))
    #expect(try DatasetSurvey(dataset(samples(4, scale: 5), numbers: ["scale": [0.2]]), most: 9).warnings.isEmpty)
  }

  @Test(
    "Labels that cannot be a model's classes as they are, or that few samples have, are told of",
    arguments: [
      ([0, 1, 2, 1, 0, 2], ""), ([1, 2, 3, 3], "store y - 1"), ([5, 7], "the smallest label is 5"),
      ([0, 4, 2, 2], "2 of 5 classes have no samples"), ([0] + Array(repeating: 1, count: 11), "from 1 to 11 samples"),
    ] as [([Int64], String)])
  func labels(labels: [Int64], warning: String) throws {
    let path = folder.file("l.h5")
    try DatasetFile.write(
      path, shape: [labels.count, 1, 1, 1], values: labels.map { Float($0) }, labels: labels)
    let survey = LabelSurvey(try LatentDataset(paths: [path]))
    #expect(survey.warnings.count == (warning.isEmpty ? 0 : 1) && survey.warnings.allSatisfy { $0.contains(warning) })
    #expect(survey.isCountedFromOne == (warning == "store y - 1"))
    guard survey.isCountedFromOne else { return }
    try DatasetFile.write(
      folder.file("m.h5"), shape: [labels.count, 1, 1, 1], values: labels.map { Float($0) },
      labels: labels.map { $0 - 1 })
    #expect(LabelSurvey(try LatentDataset(paths: [folder.file("m.h5")])).warnings.isEmpty)
  }
}
