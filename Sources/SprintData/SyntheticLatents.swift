import SprintFormats
import SprintKernels

/// Latent files of noise, for benches: real in size and layout, but with nothing to learn.
package enum SyntheticLatents {
  /// Writes `samples` latents [C, S, S], or their moments [2C, S, S]; at most 1024 differ. The classes take turns.
  ///
  /// - Parameter teacher: the path of each array of a teacher, and the shape of a sample's part of it
  package static func write(
    _ path: String, samples: Int, channels: Int, side: Int, classes: Int, moments: Bool = false,
    teacher: [(path: String, shape: [Int])] = []
  ) throws {
    let latents = (path: moments ? "/moments" : "/latents", shape: [moments ? 2 * channels : channels, side, side])
    let arrays = [latents] + teacher
    try AtomicFile.create(path) { temporary in
      let offsets = try layOut(temporary, samples: samples, arrays, classes)
      for (offset, array) in zip(offsets, arrays) {
        try fill(temporary, at: offset, entries: samples, elements: array.shape.reduce(1, *))
      }
    }
  }

  private static func layOut(
    _ path: String, samples: Int, _ arrays: [(path: String, shape: [Int])], _ classes: Int
  ) throws -> [Int] {
    let file = try HDF5File(creating: path)
    let offsets = try arrays.map { try file.reserve($0.path, shape: [samples] + $0.shape) }
    try file.write("/labels", shape: [samples], (0..<samples).map { Int64($0 % classes) })
    try file.write(attribute: "source", "noise for a bench")
    try file.close()
    return offsets
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
