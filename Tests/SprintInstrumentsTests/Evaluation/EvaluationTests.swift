import Foundation
import SprintFormats
import SprintInstruments
import SprintKernels
import SprintTestSupport
import SprintVision
import Synchronization
import Testing

/// Evaluations as a whole, with a network that takes no weights.
@Suite struct EvaluationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Features that are sums of a picture's bytes with signs; the images that it saw are counted.
  private final class SignNetwork: FeatureNetwork {
    let name: String
    let fingerprint: String?
    let seen = Atomic(0)

    init(_ name: String = "inception", weights: String = "0123456789abcdef") {
      (self.name, fingerprint) = (name, weights)
    }

    func features(of pictures: [Picture], _ workers: Workers) -> ImageFeatures {
      seen.wrappingAdd(pictures.count, ordering: .relaxed)
      func rows(_ width: Int, _ salt: Int) -> [[Float]] {
        pictures.map { picture in
          (0..<width).map { f in
            picture.pixels.enumerated().reduce(0) { sum, pixel in
              let isPositive = (pixel.offset &* 2_654_435_761 &+ (f &+ salt) &* 40503) & 64 == 0
              return sum + (isPositive ? 1 : -1) * Float(pixel.element) / 255
            }
          }
        }
      }
      return ImageFeatures(pooled: rows(6, 1), spatial: rows(4, 17), logits: rows(5, 99))
    }
  }

  /// Writes n pictures of random bytes, [n, 4, 4, channels].
  private func write(_ name: String, _ n: Int, channels: Int = 3, spread: Float = 40, more: [NPYArray.Output] = [])
    throws -> String
  {
    var random = Randomness("pictures")
    let bytes = random.normal(n * 16 * channels).map { UInt8(max(0, min(255, 128 + spread * $0))) }
    let path = folder.file(name)
    try NPYArray.writeNPZ(
      [.init("arr_0", .uint8, shape: [n, 4, 4, channels], bytes)] + more, comment: "drawn by a test", to: path)
    return path
  }

  private func evaluate(
    _ samples: String, _ reference: String?, _ network: EvaluationNetwork, folders: FolderOptions = .init(),
    saved: String? = nil, ranks: Int = 1, _ hooks: Evaluation.Hooks = .init()
  ) throws -> EvaluationResult? {
    let all = try Ranks.run(ranks) { communicator in
      try Evaluation(samples: samples, reference: reference, network, folders: folders, saved: saved)
        .run(communicator, Workers(1), hooks).result
    }
    return all[0]
  }

  private func json(_ result: EvaluationResult?) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(try #require(result)), as: UTF8.self)
  }

  @Test("All numbers are the same bits on any number of ranks, and say what they depend on", arguments: [2, 3])
  func ranks(count: Int) throws {
    let (a, b) = (try write("a.npz", 75), try write("b.npz", 101, spread: 60))
    let network = EvaluationNetwork.network(SignNetwork())
    let alone = try #require(try evaluate(a, b, network))
    #expect(try json(alone) == json(evaluate(a, b, network, ranks: count)))
    for number in [alone.fid, alone.sfid, alone.inceptionScore, alone.precision, alone.recall] {
      #expect(number.map { $0 > 0 } ?? false, "\(alone)")
    }
    #expect(alone.samples.images == 75 && alone.samples.origin == "drawn by a test" && alone.reference?.compared == 101)
    #expect(alone.fd == nil && alone.fdd == nil && alone.networkSha256 == "0123456789abcdef")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.sorted() == ["a.npz", "b.npz"], "files are left: \(left)")
  }

  @Test("An interrupted evaluation goes on with the features that it has, unless the images changed")
  func resumes() throws {
    let (a, b) = (try write("a.npz", 100), try write("b.npz", 40))
    let whole = try json(try evaluate(a, b, .network(SignNetwork())))
    func interrupted() throws -> Int {
      var rounds = 0
      let hooks = Evaluation.Hooks(stopRequested: {
        rounds += 1
        return rounds > 3
      })
      #expect(try evaluate(a, b, .network(SignNetwork()), hooks) == nil)
      let network = SignNetwork()
      #expect(try json(evaluate(a, b, .network(network))) == whole)
      return network.seen.load(ordering: .relaxed)
    }
    // A picture on each side says how wide features are; three of the four pieces of the samples are there.
    #expect(try interrupted() == 1 + 4 + 1 + 40, "features were computed twice")
  }

  /// Writes 70 pictures of three sizes; those of `broken` are cut off.
  private func writeFolder(_ name: String, broken: Set<Int>, keepsBroken: Bool) throws -> String {
    try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    for index in (0..<70) where keepsBroken || !broken.contains(index) {
      var picture = Picture(width: 6 + index % 3, height: 7)
      for y in 0..<7 { picture[index % 6, y] = (UInt8(3 * index), UInt8(30 * y), UInt8(index * y % 256)) }
      let png = try broken.contains(index) ? picture.png.dropLast(20) : picture.png
      try png.write(to: URL(fileURLWithPath: folder.file("\(name)/\(String(100 + index)).png")))
    }
    return folder.file(name)
  }

  /// If this fails, a broken picture counts as one, or moves the numbers of others.
  @Test("A folder with broken pictures, cropped, has the numbers of one without them", arguments: 1...3)
  func folders(ranks: Int) throws {
    // A whole piece of 32 is broken.
    let broken = Set([3] + Array(32..<64))
    let whole = try writeFolder("whole", broken: broken, keepsBroken: false)
    let damaged = try writeFolder("damaged", broken: broken, keepsBroken: true)
    let samples = try write("a.npz", 75)
    let network = EvaluationNetwork.network(SignNetwork())
    var options = FolderOptions()
    #expect("\(error { try evaluate(samples, whole, network) })".contains("expected 6 x 7"))
    options.side = 4
    let expected = try #require(try evaluate(samples, whole, network, folders: options))
    let refused = error { try evaluate(samples, damaged, network, folders: options, ranks: ranks) }
    #expect("\(refused)".contains("103.png: a broken PNG"), "\(refused)")
    options.skipsBroken = true
    let notes = Mutex<[String]>([])
    let hooks = Evaluation.Hooks(note: { note in notes.withLock { $0.append(note) } })
    let found = try #require(
      try evaluate(samples, damaged, network, folders: options, ranks: ranks, hooks))
    // Batches of other sizes are added up with other roundings.
    for (one, other) in [(found.fid, expected.fid), (found.sfid, expected.sfid)] {
      let error = abs((one ?? .nan) - (other ?? .nan))
      #expect(error < 1e-9 * (other ?? 0), "\(found) and \(expected)")
    }
    #expect(found.precision == expected.precision && found.recall == expected.recall)
    #expect(found.reference?.compared == 70 - broken.count)
    #expect(found.reference?.images == 70 - broken.count && found.reference?.leftOut == broken.count)
    #expect(notes.withLock { $0.count { $0.contains("left out") } } == broken.count)
  }

  @Test("Stored statistics stand for their images, and name their network")
  func statistics() throws {
    let (a, b, saved) = (try write("a.npz", 75), try write("b.npz", 101, spread: 60), folder.file("b-statistics.npz"))
    let network = EvaluationNetwork.network(SignNetwork())
    _ = try evaluate(b, nil, network, saved: saved)
    let (images, stored) = (try #require(try evaluate(a, b, network)), try #require(try evaluate(a, saved, network)))
    #expect(stored.fid == images.fid && stored.sfid == images.sfid && stored.inceptionScore == images.inceptionScore)
    #expect(stored.precision == nil && stored.notComputed.keys.sorted() == ["precision", "recall"])
    #expect(stored.reference?.images == 101 && stored.reference?.isStatistics == true)
    let both = try #require(try evaluate(saved, saved, network))
    #expect(both.fid ?? 1 < 1e-6 && both.sfid ?? 1 < 1e-6 && both.inceptionScore == nil)
    for other in [SignNetwork(weights: "fedcba"), SignNetwork("dinov2-l")] {
      #expect("\(error { try evaluate(a, saved, .network(other)) })".contains("statistics are of inception"))
    }
    #expect("\(error { try evaluate(a, saved, .pixels) })".contains("not of pixels"))
  }

  @Test(
    "numpy reads stored statistics, and they are its own; a deflated archive gives the same numbers",
    .enabled(if: Python.has("numpy"), Comment(rawValue: Python.lacks("numpy"))))
  func numpy() throws {
    let (a, saved, deflated) = (try write("a.npz", 75, channels: 1), folder.file("s.npz"), folder.file("d.npz"))
    let fd = try evaluate(a, a, .pixels, saved: saved)?.fd
    let script = """
      import json, sys, numpy as np
      a, s = np.load(sys.argv[1])["arr_0"], np.load(sys.argv[2])
      x = (a.transpose(0, 3, 1, 2).reshape(len(a), -1).astype("f4") / np.float32(127.5) - 1).astype("f8")
      assert np.allclose(s["mu"], x.mean(0), rtol=1e-12, atol=1e-12)
      assert np.allclose(s["sigma"], np.cov(x, rowvar=False), rtol=1e-9, atol=1e-12)
      assert json.loads(bytes(s["metadata"]))["network"] == "pixels"
      np.savez_compressed(sys.argv[3], a)
      """
    let outcome = try Python.run(["-c", script, a, saved, deflated])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(fd ?? 1 < 1e-6)
    for ranks in 1...3 { #expect(try evaluate(deflated, a, .pixels, ranks: ranks)?.fd ?? 1 < 1e-6) }
  }

  @Test("A reference with statistics and images, as ADM's, gives distances of the first and precision of the second")
  func both() throws {
    let (a, saved) = (try write("a.npz", 75), folder.file("c.npz"))
    let network = EvaluationNetwork.network(SignNetwork())
    let wide = try write("w.npz", 200, spread: 70)
    _ = try evaluate(wide, nil, network, saved: saved)
    let archive = try ZipArchive(reading: saved)
    let arrays = try ["mu", "sigma", "mu_s", "sigma_s"].map { name in
      let array = try NPYArray(archive.contents(of: "\(name).npy"), name: name)
      return NPYArray.Output(name, .float64, shape: array.shape, array.doubles())
    }
    let reference = try write("b.npz", 90, spread: 60, more: arrays)
    let found = try #require(try evaluate(a, reference, network))
    #expect(try abs((found.fid ?? 0) - (evaluate(a, wide, network)?.fid ?? 1)) < 1e-9)
    #expect(found.reference?.isStatistics == true && found.reference?.compared == 90)
    #expect(try evaluate(a, reference, .pixels)?.reference?.isStatistics == false, "Inception's are not of pixels")
  }

  private func error(_ body: () throws -> Any?) -> any Error {
    do { _ = try body() } catch { return error }
    return FileError.unusable(path: "", problem: "no error")
  }

  @Test("What cannot be rated is refused, with what was found and expected")
  func refusals() throws {
    let good = try write("good.npz", 8)
    func array(_ name: String, _ element: NumberType, _ shape: [Int], _ bytes: Int) throws -> String {
      let path = folder.file("bad.npz")
      try NPYArray.writeNPZ([.init(name, element, shape: shape, [UInt8](repeating: 0, count: bytes))], to: path)
      return path
    }
    func dataset(_ values: [Float], channels: Int = 1, kind: String) throws -> String {
      let path = folder.file("bad.h5")
      unlink(path)
      try DatasetFile.write(
        path, shape: [values.count / (channels * 4), channels, 2, 2], values: values,
        labels: [Int64](repeating: 0, count: values.count / (channels * 4)), texts: ["kind": kind])
      return path
    }
    let empty = folder.file("empty")
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    let text = folder.file("text")
    try Data("hello".utf8).write(to: URL(fileURLWithPath: text))
    let ones = [Float](repeating: 1, count: 8)
    let cases: [(() throws -> String, String)] = [
      ({ try array("arr_0", .float32, [2, 4, 4, 3], 384) }, "expected uint8"),
      ({ try array("arr_0", .uint8, [2, 3, 4, 4], 96) }, "transpose"),
      ({ try array("arr_0", .uint8, [2, 48], 96) }, "[2, 48]"),
      ({ try array("arr_0", .uint8, [0, 4, 4, 3], 0) }, "at least 1"),
      ({ try array("arr_0", .uint8, [1, 4, 4, 3], 48) }, "one image"), ({ try array("x", .uint8, [2], 2) }, "holds x"),
      ({ try array("mu", .float64, [2], 16) }, "sigma"), ({ empty }, "no picture"), ({ text }, "expected a folder"),
      ({ folder.file("nothing") }, "No such file"), ({ try dataset(ones, kind: "latents") }, "latents"),
      ({ try dataset(ones, channels: 2, kind: "pixels") }, "expected"),
      ({ try dataset([.nan] + ones.dropFirst(), kind: "pixels") }, "nan"),
      ({ try dataset(ones, kind: "pixels") }, "expected 3 x 4 x 4"),
    ]
    for (make, part) in cases {
      let path = try make()
      let found = error { try evaluate(path, part == "nan" ? path : good, .pixels) }
      #expect(found is FileError && "\(found)".contains(part), "\(path): \(found), expected `\(part)`")
    }
  }

  @Test("Statistics that are none are refused")
  func badStatistics() throws {
    let good = try write("good.npz", 8)
    func statistics(_ mean: [Double], _ covariance: [Double], _ shape: [Int]) throws -> String {
      let path = folder.file("\(UUID()).npz")
      try NPYArray.writeNPZ(
        [
          .init("mu", .float64, shape: [mean.count], mean), .init("sigma", .float64, shape: shape, covariance),
        ], to: path)
      return path
    }
    let cases = [
      (try statistics([0, 0], [1, 0, 0, 1, 0, 0], [2, 3]), "[F, F]"),
      (try statistics([0, .nan], [1, 0, 0, 1], [2, 2]), "not finite"),
      (try statistics([0, 0], [1, 0.5, 0, 1], [2, 2]), "not symmetric"),
      (try statistics([0, 0], [1, 0, 0, -1], [2, 2]), "variance -1"),
      (try statistics([0, 0], [1, 0, 0, 1], [2, 2]), "features"),
    ]
    for (path, part) in cases {
      let found = error { try evaluate(good, path, .network(SignNetwork())) }
      #expect(found is FileError && "\(found)".contains(part), "\(found), expected `\(part)`")
    }
  }
}
