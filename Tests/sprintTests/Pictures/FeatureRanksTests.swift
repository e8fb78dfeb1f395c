import Foundation
import SprintFormats
import SprintTestSupport
import Testing

extension ProcessTests {
  /// `sprint evaluate` by networks, as real processes.
  @Suite(.enabled(if: Photos.canBeMade, Photos.missing)) struct FeatureRanksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func arguments(_ photos: Photos, _ network: String) throws -> [String] {
      let name = network == "dinov2" ? "dinov2-s" : network
      return [
        "evaluate", photos.path, "--side", "48", "--skip-broken", "--network",
        "\(name)=\(try photos.features(network))",
      ]
    }

    /// If this fails, a number depends on how many processes computed it.
    @Test(
      "One, two and three ranks have the same bits of features, and the same numbers but for rounding",
      arguments: ["dinov2", "inception"])
    func ranks(network: String) throws {
      // Three pieces of 32 pictures, so that three ranks have work.
      let photos = try Photos(80, in: folder)
      let arguments = try arguments(photos, network)
      let pixels = folder.file("pixels.h5")
      _ = try photos.object(["import", "--from", "images", photos.path, pixels, "--side", "32", "--skip-broken"])
      var expected: (statistics: [String: [Double]], numbers: [String: Double])?
      for ranks in 1...3 {
        let saved = folder.file("\(ranks).npz")
        let object = try photos.object(arguments + ["--reference", pixels, "--save", saved], ranks: ranks)
        let found = (try statistics(saved), object.compactMapValues { $0 as? Double })
        #expect(found.1.count >= 3, "\(object)")
        // LAPACK rounds with the number of its threads, which ranks share.
        for (name, number) in expected?.numbers ?? [:] {
          let error = abs((found.1[name] ?? .nan) - number)
          #expect(error <= 1e-9 * number, "\(name) on \(ranks) ranks: \(object), expected \(number)")
        }
        let isSame = found.0 == expected?.statistics ?? found.0
        #expect(isSame, "\(ranks) ranks")
        expected = expected ?? found
      }
    }

    private func statistics(_ path: String) throws -> [String: [Double]] {
      let archive = try ZipArchive(reading: path)
      let names = ["mu", "sigma", "mu_s", "sigma_s"].filter { archive.has("\($0).npy") }
      return try Dictionary(
        uniqueKeysWithValues: names.map { name in
          (name, try NPYArray(archive.contents(of: "\(name).npy"), name: name).doubles())
        })
    }

    /// If this fails, an evaluation of many images cannot be stopped and continued.
    @Test("After TERM an evaluation ends with 75, and the same command goes on to the same numbers")
    func resuming() throws {
      let photos = try Photos(80, in: folder)
      let arguments = try arguments(photos, "dinov2") + ["--threads", "1", "--save"]
      #expect(try photos.sprint(arguments + [folder.file("whole.npz")]).code == 0)
      let interrupted = try SprintCommand(
        SprintCommand.sprint, arguments + [folder.file("again.npz")], in: folder)
      let part = folder.file("photos.dinov2-s.part")
      while interrupted.isRunning, (try? Data(contentsOf: URL(fileURLWithPath: part)).count) ?? 0 < 1000 {
        usleep(500)
      }
      interrupted.signal(SIGTERM)
      let outcome = try interrupted.wait(30)
      #expect(outcome.code == 75 && outcome.errors.contains("the same command continues"), "\(outcome)")
      let rest = try photos.sprint(arguments + [folder.file("again.npz")])
      #expect(rest.code == 0 && rest.errors.contains("are there already"), "\(rest)")
      #expect(try photos.bytes("again.npz") == photos.bytes("whole.npz"))
      #expect(!FileManager.default.fileExists(atPath: part))
    }
  }
}
