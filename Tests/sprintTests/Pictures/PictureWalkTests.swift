import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

extension ProcessTests {
  /// From a folder of odd pictures, some of them broken, to images and numbers.
  @Suite(.enabled(if: Photos.canBeMade, Photos.missing)) struct PictureWalkTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The number of pictures; SPRINT_TEST_PICTURES asks for more.
    private static let count = ProcessInfo.processInfo.environment["SPRINT_TEST_PICTURES"].flatMap { Int($0) } ?? 40

    private func number(_ name: String, _ object: [String: Any]) throws -> Double {
      try #require(object[name] as? Double, "\(object)")
    }

    @Test("Three commands lead to an FID; each broken picture is named, and left out where that is asked for")
    func walk() throws {
      let photos = try Photos(Self.count, in: folder)
      #expect(photos.broken.count >= 4)
      let (vae, network) = (try photos.autoencoder(channels: 4), try photos.features("inception"))
      let (latents, images) = (folder.file("latents.h5"), folder.file("images.npz"))
      let whole = photos.count - photos.broken.count

      let arguments = ["import", "--from", "images", photos.path, latents, "--side", "32", "--autoencoder", vae]
      let strict = try photos.sprint(arguments + ["--multiplier", "1"])
      #expect(strict.code == 2, "\(strict)")
      #expect(strict.errors.contains("\(photos.broken.count) of \(photos.count) samples cannot be used"), "\(strict)")
      expectNamed(photos.broken, strict)

      let imported = try photos.object(arguments + ["--multiplier", "1", "--skip-broken"])
      #expect(imported["samples"] as? Int == whole && imported["left_out"] as? Int == photos.broken.count)
      let decoded = try photos.sprint(["decode", latents, "--autoencoder", vae, "--out", images, "--json"])
      #expect(decoded.code == 0 && !decoded.errors.contains("taken for"), "\(decoded)")
      #expect(decoded.output.contains("\"images\":\(whole),") && decoded.output.contains("\"side\":32,"), "\(decoded)")

      let evaluation = ["evaluate", images, "--reference", photos.path, "--network", "inception=\(network)"]
      let sizes = try photos.sprint(evaluation + ["--skip-broken"])
      #expect(sizes.code == 2 && sizes.errors.contains("--side"), "\(sizes)")
      let refused = try photos.sprint(evaluation + ["--side", "32"])
      #expect(refused.code == 2 && refused.errors.contains("--skip-broken"), "\(refused)")
      let outcome = try photos.sprint(evaluation + ["--side", "32", "--skip-broken", "--json"])
      expectNamed(photos.broken, outcome)
      let found = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      for name in ["fid", "sfid", "inception_score"] { #expect(try number(name, found) > 0) }
      let reference = try #require(found["reference"] as? [String: Any])
      #expect(reference["images"] as? Int == whole && reference["left_out"] as? Int == photos.broken.count)
    }

    private func expectNamed(_ broken: [String], _ outcome: SprintCommand.Outcome) {
      let lines = outcome.errors.split(separator: "\n")
      for name in broken { #expect(lines.count { $0.contains("\(name): ") } == 1, "\(name) in \(outcome.errors)") }
    }

    @Test("A folder that is cropped while it is rated gives the numbers of its import, on any number of ranks")
    func cropping() throws {
      let photos = try Photos(40, in: folder)
      let pixels = folder.file("pixels.h5")
      let network = "inception=\(try photos.features("inception"))"
      _ = try photos.object(["import", "--from", "images", photos.path, pixels, "--side", "32", "--skip-broken"])
      for ranks in [nil, 3] {
        let found = try photos.object(
          [
            "evaluate", photos.path, "--reference", pixels, "--network", network, "--side", "32", "--skip-broken",
          ], ranks: ranks)
        #expect(try number("fid", found) < 1e-6 && number("sfid", found) < 1e-6, "\(found)")
        #expect(try number("precision", found) == 1 && number("recall", found) == 1, "\(found)")
      }
      let misplaced = try photos.sprint(
        ["evaluate", pixels, "--reference", pixels, "--network", network, "--side", "32"])
      #expect(misplaced.code == 2 && misplaced.errors.contains("leave out --side"), "\(misplaced)")
    }

    @Test("Moments are those of the cropped picture and of the mirrored one")
    func moments() throws {
      let photos = try Photos(12, in: folder)
      let vae = try photos.autoencoder(channels: 4)
      let out = folder.file("out.h5")
      _ = try photos.object(photos.encoding("out.h5", side: 16, vae) + ["--dtype", "f32"])
      let encoder = try Autoencoder(path: vae, parts: [.encoder])
      let names = try FileManager.default.subpathsOfDirectory(atPath: photos.path)
        .filter { $0.contains(".") && !photos.broken.contains($0) }.sorted()
      let pictures = try names.map { try Picture(reading: "\(photos.path)/\($0)").centreCrop(side: 16) }
      for (set, pictures) in [("/moments", pictures), ("/moments_flip", pictures.map(\.mirrored))] {
        let isSame = try numbers(set, of: out) == pictures.flatMap { moments(of: $0, encoder) }
        #expect(isSame, "\(set)")
      }
    }

    private func numbers(_ set: String, of path: String) throws -> [Float] {
      let file = try HDF5File(reading: path)
      var values = [Float](repeating: 0, count: try file.describe(set).shape.reduce(1, *))
      try values.withUnsafeMutableBufferPointer { try file.floats(set, into: $0) }
      return values
    }

    private func moments(of picture: Picture, _ encoder: Autoencoder) -> [Float] {
      let side = picture.width
      let planes = (0..<3).flatMap { channel in
        (0..<side * side).map { Float(picture.pixels[3 * $0 + channel]) / 127.5 - 1 }
      }
      var moments = [Float](repeating: 0, count: 2 * encoder.latentChannels * side * side / 4)
      planes.withUnsafeBufferPointer { planes in
        moments.withUnsafeMutableBufferPointer { encoder.encode(planes, side: side, into: $0, Workers(1)) }
      }
      return moments
    }

    @Test("After TERM an import of pictures ends with 75, and the same command makes the same bytes")
    func signal() throws {
      let photos = try Photos(40, in: folder)
      let vae = try photos.autoencoder(channels: 4)
      func arguments(_ name: String) -> [String] { photos.encoding(name, side: 96, vae) + ["--threads", "1"] }
      #expect(try photos.sprint(arguments("whole.h5")).code == 0)
      let command = try SprintCommand(SprintCommand.sprint, arguments("out.h5"), in: folder)
      while command.isRunning, !FileManager.default.fileExists(atPath: folder.file("out.h5.progress")) { usleep(500) }
      command.signal(SIGTERM)
      let outcome = try command.wait(30)
      #expect(outcome.code == 75 && outcome.errors.contains("the same command continues"), "\(outcome)")
      #expect(try photos.sprint(arguments("out.h5")).code == 0)
      #expect(try photos.bytes("out.h5") == photos.bytes("whole.h5"))
    }

    /// If this fails, an interrupted import costs hours of encoding, or makes another data set.
    @Test("After a kill the same import of pictures continues and makes the same bytes, on two ranks too")
    func resuming() throws {
      let photos = try Photos(40, in: folder)
      // A picture has 128 x 32 x 32 numbers and its mirror image as many: the import works in pieces of 16 pictures.
      let vae = try photos.autoencoder(channels: 64)
      func arguments(_ name: String) -> [String] { photos.encoding(name, side: 64, vae) }
      #expect(try photos.sprint(arguments("whole.h5")).code == 0)
      let killed = try photos.sprint(
        arguments("out.h5"),
        environment: [
          "LD_PRELOAD": SprintCommand.build + "/libFaultInjector.so",
          "SPRINT_FAULT": "kill:pwrite:out.h5.progress:3", "SPRINT_FAULT_FIRED": folder.file("fired"),
        ])
      #expect(killed.code == SIGKILL, "\(killed)")
      let again = try photos.sprint(arguments("out.h5"), ranks: 2)
      #expect(again.code == 0 && again.errors.contains("left out \(photos.broken.count) of 40 samples"), "\(again)")
      #expect(try photos.bytes("out.h5") == photos.bytes("whole.h5"))
    }
  }
}
