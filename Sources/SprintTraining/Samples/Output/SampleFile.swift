import Foundation
import SprintData
import SprintFormats
import SprintKernels

/// An output of samples; its name chooses the format.
package struct SampleFile {
  private enum Kind: Equatable {
    case png, npz, h5, folder
  }

  /// The path, without a slash at its end.
  package let path: String
  private let kind: Kind

  /// Checks that the ending is known and that the output can be written. A name without an ending, or with a slash at
  /// its end, is that of a folder, and so is that of a folder which exists.
  package init(path: String) throws {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let ending = name.split(separator: ".").dropFirst().last.map { $0.lowercased() }
    switch ending {
    case _ where path.hasSuffix("/") || FolderListing.isFolder(path) || ending == nil: kind = .folder
    case "png": kind = .png
    case "npz": kind = .npz
    case "h5": kind = .h5
    default:
      throw FileError.unusable(
        path: path,
        problem: "ends in `\(ending ?? "")`; samples are written as .png, .npz or .h5, or as a folder without an ending"
      )
    }
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if kind == .folder { try SampleFolder(self.path).check() } else { try AtomicFile.checkWritable(self.path) }
  }

  /// Throws where samples of these properties would look like something else in a file of this format: programs take
  /// the bytes of an npz, or of numbered pictures, for the colours of images.
  package func check(_ properties: LatentProperties, channels: Int, isDecoded: Bool) throws {
    let isImage = isDecoded || properties.kind == "pixels"
    if kind == .h5, isDecoded {
      throw FileError.unusable(
        path: path, problem: "an .h5 holds the latents of samples, not decoded images",
        remedy: SampleRemedy.writeImagesOrLeaveOutDecoder)
    }
    if [.npz, .folder].contains(kind), !isImage {
      throw FileError.unusable(
        path: path,
        problem: "the samples are latents; \(kind == .npz ? "an .npz" : "a folder of pictures") holds the pixels of "
          + "images, for programs that rate images",
        remedy: SampleRemedy.decodeOrWriteNumbers)
    }
    if kind == .folder, !isDecoded, ![1, 3].contains(channels) {
      throw FileError.unusable(
        path: path, problem: "the samples have \(channels) channels, a PNG picture has 1 or 3",
        remedy: SampleRemedy.writeNumbers)
    }
  }

  /// What the file keeps of an image.
  package var record: SampleRendering.Record {
    switch kind {
    case .png: .colors
    case .npz, .folder: .pixels
    case .h5: .numbers
    }
  }

  /// Throws if a picture of these images would be too large.
  package func checkSize(labels: [Int], _ rendering: SampleRendering) throws {
    if kind == .png { try GridLayout(labels: labels, side: rendering.side).checkSize(path) }
  }

  /// Removes what an interrupted output of other images left.
  func removeLeftovers() { if kind == .folder { SampleFolder(path).removePartial() } }

  /// Writes samples as a labelled grid (.png), as `arr_0` uint8 [n, S, S, C] and the classes `arr_1` int64 [n] (.npz,
  /// as ADM writes them), as a data set (.h5) of `/latents` [n, C, S, S] in the units of the training data and
  /// `/labels` [n], or as numbered pictures with their classes in `dataset.json` (folder). Each says what drew it.
  ///
  /// - Parameters:
  ///   - spool: the record of each image
  ///   - origin: text about what the images depend on
  ///   - progress: called with the number of written images; what it throws ends the work, and then there is no file
  func write(
    _ spool: SampleSpool, labels: [Int], _ rendering: SampleRendering, _ origin: String, _ workers: Workers,
    progress: (Int) throws -> Void
  ) throws {
    switch kind {
    case .png:
      try GridLayout(labels: labels, side: rendering.side).writePNG(comment: origin, to: path) {
        try spool.record($0)
      }
    case .npz: try writeNPZ(spool, labels, rendering, origin, progress)
    case .h5: try writeHDF5(spool, labels, rendering, origin, progress)
    case .folder: try SampleFolder(path).write(spool, labels, rendering, origin, workers, progress)
    }
  }

  private func writeNPZ(
    _ spool: SampleSpool, _ labels: [Int], _ rendering: SampleRendering, _ origin: String,
    _ progress: (Int) throws -> Void
  ) throws {
    let shape = [labels.count, rendering.side, rendering.side, rendering.channels]
    try withoutActuallyEscaping(progress) { progress in
      let images = NPYArray.Output("arr_0", .uint8, shape: shape) { target, offset in
        try progress(offset / rendering.bytes)
        try spool.read(into: target, at: offset)
      }
      let classes = NPYArray.Output("arr_1", .int64, shape: [labels.count], labels.map { Int64($0) })
      try NPYArray.writeNPZ([images, classes], comment: origin, to: path)
    }
  }

  private func writeHDF5(
    _ spool: SampleSpool, _ labels: [Int], _ rendering: SampleRendering, _ origin: String,
    _ progress: (Int) throws -> Void
  ) throws {
    try AtomicFile.create(path) { temporary in
      let file = try HDF5File(creating: temporary)
      let shape = [labels.count, rendering.channels, rendering.side, rendering.side]
      let place = try file.reserve("/latents", shape: shape)
      try file.write("/labels", shape: [labels.count], labels.map { Int64($0) })
      try file.write(rendering.properties)
      try file.write(attribute: "source", origin)
      try file.close()
      try Self.copy(spool, labels.count * rendering.bytes, to: temporary, at: place) {
        try progress($0 / rendering.bytes)
      }
    }
  }

  /// Copies all records into an open place of a file.
  private static func copy(
    _ spool: SampleSpool, _ count: Int, to path: String, at place: Int, _ progress: (Int) throws -> Void
  ) throws {
    let (file, most) = (try RandomAccessFile(writing: path), 1 << 20)
    try withUnsafeTemporaryAllocation(byteCount: min(most, count), alignment: 64) { memory in
      for done in stride(from: 0, to: count, by: most) {
        try progress(done)
        let piece = UnsafeMutableRawBufferPointer(rebasing: memory[..<min(most, count - done)])
        try spool.read(into: piece, at: done)
        try file.write(UnsafeRawBufferPointer(piece), at: place + done)
      }
    }
  }
}
