import Foundation
import SprintData
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct LatentDatasetTests {
  private let folder: TemporaryFolder
  private let random = LatentRandomness(seed: 1)

  init() throws { folder = try TemporaryFolder() }

  private func latent(_ dataset: LatentDataset, _ index: Int, draw: UInt64 = 0) throws -> [Float] {
    let memory = TestMatrix(1, dataset.latentElements)
    try dataset.latent(index, random: random, draw: draw, into: memory.vector)
    return memory.vector.array
  }

  @Test(
    "Latents are scaled and shifted channel by channel; contiguous and chunked files read the same",
    arguments: [false, true])
  func scaling(chunked: Bool) throws {
    let path = folder.file("d.h5")
    try DatasetFile.write(
      path, shape: [3, 2, 2, 2], values: (0..<24).map { Float($0) }, labels: [2, 0, 1],
      numbers: ["scale": [2, 10], "shift": [1, -1]], chunked: chunked)
    let dataset = try LatentDataset(paths: [path])
    #expect(dataset.count == 3 && dataset.channels == 2 && dataset.side == 2)
    #expect(try latent(dataset, 1) == [17, 19, 21, 23, 119, 129, 139, 149] && dataset.label(0) == 2)
  }

  @Test("Moments are mean and standard deviation; each draw differs, and a draw repeats")
  func moments() throws {
    let path = folder.file("m.h5")
    let (means, deviations) = ([Float](repeating: 5, count: 64), [Float](repeating: 0.25, count: 64))
    try DatasetFile.write(path, name: "/moments", shape: [1, 2, 8, 8], values: means + deviations, labels: [0])
    let dataset = try LatentDataset(paths: [path])
    let draws = try (0..<200 as Range<UInt64>).map { try latent(dataset, 0, draw: $0) }
    let again = try latent(dataset, 0, draw: 7)
    #expect(draws[0] != draws[1] && draws[7] == again)
    let all = draws.flatMap { $0 }.map(Double.init)
    let mean = all.reduce(0, +) / Double(all.count)
    let deviation = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot()
    #expect(abs(mean - 5) < 0.01 && abs(deviation - 0.25) < 0.01)
  }

  @Test("Flipping mirrors half of the draws")
  func flips() throws {
    let path = folder.file("f.h5")
    try DatasetFile.write(path, shape: [1, 1, 2, 2], values: [1, 2, 3, 4], labels: [0])
    let dataset = try LatentDataset(paths: [path], flips: true)
    let draws = try (0..<100 as Range<UInt64>).map { try latent(dataset, 0, draw: $0) }
    let mirrored = draws.count { $0 == [2, 1, 4, 3] }
    #expect(mirrored > 25 && mirrored < 75 && draws.allSatisfy { $0 == [2, 1, 4, 3] || $0 == [1, 2, 3, 4] })
  }

  @Test("Several files are one data set")
  func severalFiles() throws {
    for (name, start) in [("a", 0), ("b", 3)] {
      try DatasetFile.write(
        folder.file("\(name).h5"), shape: [3, 1, 1, 1], values: (0..<3).map { Float(start + $0) },
        labels: (0..<3).map { Int64(start + $0) })
    }
    let dataset = try LatentDataset(paths: [folder.file("a.h5"), folder.file("b.h5")])
    #expect(
      try (0..<6).map { try latent(dataset, $0)[0] } == [0, 1, 2, 3, 4, 5] && (0..<6).map(dataset.label) == Array(0..<6)
    )
  }

  @Test("An unusable file is refused with one line that names it")
  func refusals() throws {
    func expectRefusal(_ words: String, _ open: () throws -> Void) {
      #expect { try open() } throws: { "\($0)".contains(words) && "\($0)".contains(".h5") && !"\($0)".contains("\n") }
    }
    let path = folder.file("x.h5")
    func write(shape: [Int], labels: [Int64], _ values: [Float]? = nil) throws {
      try? FileManager.default.removeItem(atPath: path)
      try DatasetFile.write(
        path, shape: shape, values: values ?? [Float](repeating: 0, count: shape.reduce(1, *)), labels: labels)
    }
    expectRefusal("No such file or directory") { _ = try LatentDataset(paths: [folder.file("missing.h5")]) }
    try write(shape: [2, 1, 2, 3], labels: [0, 1])
    expectRefusal("shape") { _ = try LatentDataset(paths: [path]) }
    try write(shape: [2, 1, 2, 2], labels: [0])
    expectRefusal("/labels has shape [1], expected [2]") { _ = try LatentDataset(paths: [path]) }
    try write(shape: [2, 1, 2, 2], labels: [0, -1])
    expectRefusal("label -1") { _ = try LatentDataset(paths: [path]) }
    try write(shape: [2, 1, 2, 2], labels: [0, 10])
    expectRefusal("label 10") { try LatentDataset(paths: [path]).check(channels: 1, side: 2, classes: 10) }
    expectRefusal("side 2") { try LatentDataset(paths: [path]).check(channels: 1, side: 4, classes: 11) }
    try write(shape: [2, 1, 1, 1], labels: [0, 1], [0, .nan])
    expectRefusal("sample 1 holds nan") { _ = try latent(LatentDataset(paths: [path]), 1) }
  }

  @Test(
    "Properties that make no sense are an error, not a trap",
    arguments: [
      ("pixel_range", [1, -1]), ("pixel_range", [1]), ("pixel_range", [.nan, .nan]), ("pixel_range", [0, 0]),
      ("scale", [0]), ("scale", [1e-60]), ("scale", [1, 2, 3]), ("shift", [.infinity]), ("shift", [1e300]),
    ] as [(String, [Double])])
  func properties(name: String, numbers: [Double]) throws {
    let path = folder.file("p.h5")
    try DatasetFile.write(path, shape: [1, 2, 1, 1], values: [1, 2], labels: [0], numbers: [name: numbers])
    #expect { try LatentDataset(paths: [path]) } throws: { "\($0)".contains("\(path): `\(name)` is") }
  }

  @Test("Properties survive the way through JSON; nonsense there is an error that names the file")
  func json() throws {
    let properties = LatentProperties(scale: [0.1, 2], shift: [3, -4], kind: "latents", pixelRange: -1...1, vae: "v")
    #expect(try LatentProperties(json: properties.json, channels: 2, of: "w") == properties)
    for text in ["{}", try properties.json.replacing("[-1,1]", with: "[1,-1]")] {
      #expect { try LatentProperties(json: text, channels: 2, of: "w") } throws: { "\($0)".hasPrefix("w: ") }
    }
    #expect { try LatentProperties(json: properties.json, channels: 3, of: "w") } throws: {
      "\($0)".contains("3 finite")
    }
  }

  @Test("The reader delivers the samples of direct reading, in order, however far it reads ahead", arguments: [1, 3])
  func batchReader(ahead: Int) throws {
    let path = folder.file("r.h5")
    try DatasetFile.write(
      path, shape: [7, 1, 1, 1], values: (0..<7).map { Float($0) }, labels: (0..<7).map { Int64($0) },
      features: ("teacher", [7, 2, 3], (0..<42).map { Float($0) }))
    let dataset = try LatentDataset(paths: [path], teacher: TeacherNames(features: "teacher"))
    let order = SampleOrder(count: 7, seed: 5)
    let reader = BatchReader(dataset, order: order, randomness: random, batch: 3, firstDraw: 4, ahead: ahead)
    defer { reader.close() }
    for number in 0..<20 {
      let batch = try reader.next()
      let expected = (0..<3).map { order.sample(draw: UInt64(4 + number * 3 + $0)) }
      #expect(batch.firstDraw == UInt64(4 + number * 3) && batch.labels == expected)
      #expect(batch.latents.flattened.array == expected.map { Float($0) })
      #expect(batch.features?.row(2)[0] == Float(expected[1] * 6))
    }
  }

  @Test("Batches come with features as long as they need them")
  func teacherBatches() throws {
    let path = folder.file("f.h5")
    try DatasetFile.write(
      path, shape: [4, 1, 1, 1], values: [0, 1, 2, 3], labels: [0, 1, 2, 3],
      features: ("teacher", [4, 2, 3], (0..<24).map { Float($0) }))
    let dataset = try LatentDataset(paths: [path], teacher: TeacherNames(features: "teacher"))
    for count in [0, 2] {
      let reader = BatchReader(
        dataset, order: SampleOrder(count: 4, seed: 5), randomness: random, batch: 3, firstDraw: 0,
        teacherBatches: count)
      defer { reader.close() }
      #expect(try (0..<5).map { _ in try reader.next().features != nil } == (0..<5).map { $0 < count })
    }
  }

  @Test("Of many files the ones used last stay open, and no more than the limit")
  func openFiles() throws {
    final class Opened: Sendable {
      let number: Int
      init(_ number: Int) { self.number = number }
    }
    let files = OpenFiles<Opened>(limit: 16)
    var opened: [Int] = []
    func use(_ number: Int) throws {
      let file = try files.file(number) {
        opened.append(number)
        return Opened(number)
      }
      #expect(file.number == number && files.count <= 16)
    }
    for number in 0..<100 {
      try use(number)
      try use(0)
    }
    #expect(opened == Array(0..<100))
    for number in 92..<100 { try use(number) }
    #expect(opened.count == 100)
    try use(50)
    #expect(opened.last == 50)
    files.forget(50)
    try use(50)
    #expect(opened.count == 102)
  }

  /// A data set of ones, whose file was replaced by one of twos before any sample was read.
  private func replaced(chunked: Bool) throws -> LatentDataset {
    let path = folder.file("c.h5")
    func write(_ value: Float) throws {
      try? FileManager.default.removeItem(atPath: path)
      try DatasetFile.write(path, shape: [2, 1, 1, 1], values: [value, value], labels: [0, 1], chunked: chunked)
    }
    try write(1)
    let dataset = try LatentDataset(paths: [path])
    try write(2)
    return dataset
  }

  @Test("A file that is replaced while it is open is read as it was")
  func replacedFile() throws {
    #expect(try latent(replaced(chunked: false), 0) == [1])
  }

  @Test("A file that has changed when it has to be opened again is an error")
  func changedFile() throws {
    #expect { try latent(replaced(chunked: true), 0) } throws: {
      "\($0)".contains("c.h5: has changed since sprint opened it")
    }
  }

  @Test("Any number of ranks reads the same global batches, and every sample exactly once an epoch")
  func slices() throws {
    let path = folder.file("s.h5")
    try DatasetFile.write(
      path, shape: [24, 1, 1, 1], values: (0..<24).map { Float($0) }, labels: (0..<24).map { Int64($0) })
    let dataset = try LatentDataset(paths: [path])
    let order = SampleOrder(count: 24, seed: 5)
    // Two epochs of four batches; another number of ranks reads each batch, as after a resume.
    var seen: [Int] = []
    for number in 0..<8 {
      let ranks = [1, 3, 4, 2][number % 4]
      for rank in 0..<ranks {
        let reader = BatchReader(
          dataset, order: order, randomness: random, batch: 6, slice: rank * 6 / ranks..<(rank + 1) * 6 / ranks,
          firstDraw: UInt64(6 * number))
        defer { reader.close() }
        seen += try reader.next().labels
      }
      #expect(seen.suffix(6) == (0..<6).map { order.sample(draw: UInt64(6 * number + $0)) }[...])
    }
    #expect(Set(seen[..<24]) == Set(0..<24) && Set(seen[24...]) == Set(0..<24) && seen.count == 48)
    let later = BatchReader(dataset, order: order, randomness: random, batch: 6, slice: 2..<5, firstDraw: 6)
    defer { later.close() }
    for number in 1..<9 {
      #expect(try later.next().labels == (2..<5).map { order.sample(draw: UInt64(6 * number + $0)) })
    }
  }
}

extension LatentDatasetTests {
  /// If this fails, batches come with the attention of other tokens, layers or samples.
  @Test("Batches come with a teacher's attention, in either form, also from chunked files", arguments: [true, false])
  func attention(chunked: Bool) throws {
    let path = folder.file("t.h5")
    var random = Randomness()
    let (queries, keys) = (random.normal(4 * 2 * 3 * 4 * 2), random.normal(4 * 2 * 3 * 4 * 2))
    let maps = (0..<4 * 2 * 3).flatMap { index -> [Float] in
      func part(_ values: [Float]) -> NaiveMatrix {
        NaiveMatrix(rows: 4, columns: 2, values[index * 8..<(index + 1) * 8].map(Double.init))
      }
      return Naive.logAttention(part(queries), part(keys)).values.map { Float(exp($0)) }
    }
    try DatasetFile.write(
      path, shape: [4, 1, 2, 2], values: random.normal(16), labels: [0, 1, 2, 3], chunked: chunked,
      more: [
        ("/attention/a", [4, 2, 3, 4, 4], maps), ("/queries/b", [4, 2, 3, 4, 2], queries),
        ("/keys/b", [4, 2, 3, 4, 2], keys),
      ])
    let request = AttentionRequest(
      AttentionLayout(heads: 2, tokens: [2, 4]), isKept: [true, false], kept: 2
    ) { draw, ids in
      (ids[0], ids[1]) = (Int32((draw + 1) % 4), Int32(draw % 4))
    }
    let order = SampleOrder(count: 4, seed: 5)
    for (name, count) in [("a", 2), ("b", 1)] {
      let dataset = try LatentDataset(paths: [path], teacher: TeacherNames(attention: name))
      let reader = BatchReader(
        dataset, order: order, randomness: self.random, batch: 3, firstDraw: 0, attention: request,
        teacherBatches: count)
      defer { reader.close() }
      for number in 0..<3 {
        let batch = try reader.next()
        #expect((batch.attention != nil) == (number < count))
        guard let attention = batch.attention else { continue }
        for b in 0..<3 {
          let draw = number * 3 + b
          let sample = order.sample(draw: UInt64(draw))
          func map(_ layer: Int, _ head: Int) -> NaiveMatrix {
            let start = ((sample * 2 + layer) * 3 + head) * 16
            return NaiveMatrix(rows: 4, columns: 4, maps[start..<start + 16].map(Double.init))
          }
          let kept = [(draw + 1) % 4, draw % 4]
          let expected =
            [0, 1].flatMap { Naive.keptAttention(map(0, $0), kept).values } + [0, 1].flatMap { map(1, $0).values }
          #expect(relativeError(attention.vector(b).array.map(Double.init), expected) < 1e-6)
        }
      }
    }
  }

  @Test("Attention of a wrong shape or with impossible probabilities is an error that names the file and the sample")
  func badAttention() throws {
    for (name, shape, value, problem) in [
      ("s", [2, 1, 1, 4, 3], Float(0.25), "/attention/t has shape [2, 1, 1, 4, 3], expected [2, layers"),
      ("n", [2, 1, 1, 4, 4], .nan, "the attention of sample 0 has a probability of"),
      ("m", [2, 1, 1, 4, 4], -1, "has a probability of"),
    ] {
      let path = folder.file("\(name).h5")
      let count = shape.reduce(1, *)
      var values = [Float](repeating: 0.25, count: count)
      values[0] = value
      try DatasetFile.write(
        path, shape: [2, 1, 2, 2], values: [Float](repeating: 0, count: 8), labels: [0, 1],
        more: [("/attention/t", shape, values)])
      #expect {
        let dataset = try LatentDataset(paths: [path], teacher: TeacherNames(attention: "t"))
        let request = AttentionRequest(AttentionLayout(heads: 1, tokens: [4]), isKept: [false], kept: 4) {
          for i in $1.indices { $1[i] = Int32(i) }
        }
        let memory = Arena(count: 32)
        try dataset.attention(
          0, request, draw: 0, into: memory.elements[0..<16], scratch: memory.elements[16..<32])
      } throws: {
        "\($0)".contains(problem) && "\($0)".hasPrefix(path)
      }
    }
  }
}
