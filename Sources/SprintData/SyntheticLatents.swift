import SprintFormats
import SprintKernels

/// Latent files of noise, for benches: real in size and layout, but with nothing to learn.
package enum SyntheticLatents {
  /// Writes `samples` latents [C, S, S], or their moments [2C, S, S]; at most 1024 differ. The classes take turns.
  package static func write(
    _ path: String, samples: Int, channels: Int, side: Int, classes: Int, moments: Bool = false
  ) throws {
    let shape = [samples, moments ? 2 * channels : channels, side, side]
    try AtomicFile.create(path) { temporary in
      let offset = try layOut(temporary, shape, moments ? "/moments" : "/latents", classes)
      try fill(temporary, at: offset, entries: samples, elements: shape[1...].reduce(1, *))
    }
  }

  private static func layOut(_ path: String, _ shape: [Int], _ name: String, _ classes: Int) throws -> Int {
    let file = try HDF5File(creating: path)
    let offset = try file.reserve(name, shape: shape)
    try file.write("/labels", shape: [shape[0]], (0..<shape[0]).map { Int64($0 % classes) })
    try file.write(attribute: "source", "noise for a bench")
    try file.close()
    return offset
  }

  private static func fill(_ path: String, at offset: Int, entries: Int, elements: Int) throws {
    let file = try RandomAccessFile(writing: path)
    let run = min(entries, 1024)
    let noise = Arena(count: run * elements)
    Philox(seed: 0, purpose: .posterior).fillNormal(noise.elements.buffer, draw: 0)
    // Deviations must be positive; a mean may be positive too.
    for i in 0..<noise.elements.count { noise.elements[i] = abs(noise.elements[i]) }
    for first in stride(from: 0, to: entries, by: run) {
      let bytes = UnsafeRawBufferPointer(noise.elements.buffer)[..<(min(run, entries - first) * elements * 4)]
      try file.write(UnsafeRawBufferPointer(rebasing: bytes), at: offset + first * elements * 4)
    }
  }
}
