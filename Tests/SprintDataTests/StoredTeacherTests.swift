import Foundation
import SprintData
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct StoredTeacherTests {
  private let folder: TemporaryFolder
  private let random = LatentRandomness(seed: 1)
  private let teacher = TeacherNames(features: "t", classTokens: "t")

  init() throws { folder = try TemporaryFolder() }

  /// Writes samples `first` to `first` + 2. What is stored of sample n begins with n, of its mirrored image with -n.
  ///
  /// - Parameters:
  ///   - shape: of the class tokens; nil stores none
  ///   - mirrored: whether what belongs to mirrored images is stored
  private func write(
    _ name: String, first: Int, chunked: Bool = false, classTokens shape: [Int]? = [3, 2], mirrored: Bool = true
  ) throws -> String {
    let path = folder.file(name)
    let samples = (first..<first + 3).map { Float($0) }
    func numbers(_ count: Int, sign: Float) -> [Float] {
      samples.flatMap { [sign * $0] + [Float](repeating: 0.5, count: count / 3 - 1) }
    }
    let more = (mirrored ? ["", "_flip"] : [""]).flatMap { ending in
      let sign: Float = ending.isEmpty ? 1 : -1
      return [("/features\(ending)/t", [3, 2, 3], numbers(18, sign: sign))]
        + (shape.map { [("/class_tokens\(ending)/t", $0, numbers($0.reduce(1, *), sign: sign))] } ?? [])
    }
    try DatasetFile.write(
      path, shape: [3, 1, 2, 2], values: samples.flatMap { [$0, -$0, $0, -$0] }, labels: samples.map { Int64($0) },
      chunked: chunked, more: more)
    return path
  }

  /// If this fails, a network learns the class tokens of other images, or features of images that it does not see.
  @Test(
    "Batches come with class tokens from all files; mirrored images with what the teacher says of them",
    arguments: [false, true], [false, true])
  func batches(chunked: Bool, flips: Bool) throws {
    let paths = [
      try write("a.h5", first: 1, chunked: chunked, mirrored: flips),
      try write("b.h5", first: 4, chunked: chunked, mirrored: flips),
    ]
    let dataset = try LatentDataset(paths: paths, flips: flips, teacher: teacher)
    #expect(dataset.classTokenWidth == 2 && dataset.unread.isEmpty)
    let reader = BatchReader(
      dataset, order: SampleOrder(count: 6, seed: 5), randomness: random, batch: 3, firstDraw: 0, teacherBatches: 8)
    defer { reader.close() }
    var mirrored = 0
    for number in 0..<16 {
      let batch = try reader.next()
      let tokens = try #require(batch.classTokens)
      for (b, label) in batch.labels.enumerated() {
        let seen = batch.latents.row(b)[0]
        #expect(abs(seen) == Float(label))
        #expect(tokens.vector(b).array == [seen, 0.5])
        if number < 8 { #expect(batch.features?.vector(2 * b).array == [seen, 0.5, 0.5]) }
        mirrored += seen < 0 ? 1 : 0
      }
      #expect((batch.features != nil) == (number < 8))
    }
    #expect(flips ? (12...36).contains(mirrored) : mirrored == 0)
  }

  @Test("What is missing or of another shape is an error that names it")
  func refusals() throws {
    func expect(_ problem: String, flips: Bool = false, _ paths: [String]) {
      #expect { try LatentDataset(paths: paths, flips: flips, teacher: teacher) } throws: {
        "\($0)".contains(problem) && "\($0)".hasPrefix(paths[paths.count - 1]) && !"\($0)".contains("\n")
      }
    }
    let good = try write("good.h5", first: 1)
    #expect(throws: Never.self) { try LatentDataset(paths: [good], flips: true, teacher: teacher) }
    let none = try write("none.h5", first: 1, classTokens: nil)
    expect("holds no /class_tokens/t, expected /class_tokens/t [3, F]", [none])
    for shape in [[3], [2, 3], [3, 1, 2]] {
      let odd = try write("odd\(shape.count)\(shape[0]).h5", first: 1, classTokens: shape)
      expect("/class_tokens/t has shape \(shape), expected [3, F]", [odd])
    }
    expect("class tokens [4] instead of [2]", [good, try write("wide.h5", first: 1, classTokens: [3, 4])])
    let plain = try write("plain.h5", first: 1, mirrored: false)
    expect("holds no /features_flip/t, expected /features_flip/t [3, tokens, F] of the mirrored", flips: true, [plain])
    #expect { try LatentDataset(paths: [plain], teacher: TeacherNames(features: "u")) } throws: {
      "\($0)".contains("holds no /features/u, but /features/t, expected")
    }
  }

  @Test("A number that is not finite is an error that names the sample")
  func nonFinite() throws {
    let path = folder.file("n.h5")
    try DatasetFile.write(
      path, shape: [2, 1, 1, 1], values: [0, 0], labels: [0, 1], more: [("/class_tokens/t", [2, 1], [0, .nan])])
    let dataset = try LatentDataset(paths: [path], teacher: TeacherNames(classTokens: "t"))
    let memory = TestMatrix(1, 1)
    #expect { try dataset.classToken(1, into: memory.vector) } throws: {
      "\($0)".contains("/class_tokens/t of sample 1 holds nan, expected finite numbers")
    }
  }
}
