import Foundation
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

/// Measures an autoencoder: `SPRINT_VAE=vae.safetensors swift test -c release --filter AutoencoderSpeed`.
/// `autoencoder_reference.py time` measures diffusers in the same way.
@Suite("Speed of an autoencoder", .enabled(if: measured != nil, "SPRINT_VAE names no file"))
struct AutoencoderSpeed {
  private static let environment = ProcessInfo.processInfo.environment
  private static func number(_ name: String, _ standard: Int) -> Int {
    environment[name].flatMap { Int($0) } ?? standard
  }

  @Test("A pass stays within the memory that is stated for it", .serialized, arguments: Autoencoder.Part.allCases)
  func measure(part: Autoencoder.Part) throws {
    let only = Self.environment["SPRINT_VAE_PART"]
    guard let path = measured, only == nil || only == "\(part)" else { return }
    BLAS.useOneThread()
    let (side, batch) = (Self.number("SPRINT_VAE_SIDE", 256), Self.number("SPRINT_VAE_BATCH", 8))
    let workers = Workers(Self.number("SPRINT_VAE_THREADS", 2))
    let autoencoder = try Autoencoder(path: path, parts: [part])
    var random = Randomness()
    let (latentSide, before) = (side / autoencoder.downscale, Self.mebibytes("VmRSS"))
    let images = random.normal(part == .encoder ? batch * 3 * side * side : 0, deviation: 0.5)
    let latents = random.normal(part == .decoder ? batch * autoencoder.latentChannels * latentSide * latentSide : 0)
    let seconds = (0..<Self.number("SPRINT_VAE_REPEATS", 3)).map { _ in
      ContinuousClock().measure {
        switch part {
        case .encoder: _ = autoencoder.encode(images, side: side, workers)
        case .decoder: _ = autoencoder.decode(latents: latents, side: latentSide, workers)
        }
      } / .seconds(1)
    }
    let stated = autoencoder.memoryBytes(side: side, threads: workers.count) >> 20
    print(
      "\(part): \(Double(batch) / (seconds.min() ?? 1)) images/s; before \(before) MiB, peak "
        + "\(Self.mebibytes("VmHWM")) MiB, stated \(stated) MiB")
    let buffers = (images.count + latents.count + batch * 3 * side * side) * 4 >> 20
    // Beside the pass: OpenBLAS's buffers and the stacks of threads.
    #expect(Self.mebibytes("VmHWM") - before <= stated + 2 * buffers + 32 * workers.count)
  }

  private static func mebibytes(_ field: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(field) }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first).flatMap { Int($0) }.map { $0 >> 10 } ?? 0
  }
}

/// The autoencoder to measure.
private let measured = ProcessInfo.processInfo.environment["SPRINT_VAE"]
