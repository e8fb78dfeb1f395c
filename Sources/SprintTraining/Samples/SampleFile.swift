import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// An output file of samples; its name's ending chooses the format.
package struct SampleFile {
  private enum Kind: String {
    case png, npz, h5
  }

  private let path: String
  private let kind: Kind

  /// Checks that the ending is known and that the file can be written.
  package init(path: String) throws {
    let ending = path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
    guard let kind = Kind(rawValue: ending) else {
      throw FileError.unusable(path: path, problem: "ends in `\(ending)`; samples are written as .png, .npz or .h5")
    }
    (self.path, self.kind) = (path, kind)
    try AtomicFile.checkWritable(path)
  }

  /// Throws where samples of these properties would look like something else in a file of this format: programs take
  /// the bytes of an npz for the colours of images.
  package func check(_ properties: LatentProperties) throws {
    guard kind == .npz, properties.kind != "pixels" else { return }
    throw FileError.unusable(
      path: path, problem: "the samples are latents; an .npz holds the pixels of images, for programs that rate images",
      remedy: SampleRemedy.writeNumbers)
  }

  /// Writes samples as a labelled grid (.png), as `arr_0` uint8 [n, H, W, C] (.npz), or as a data set (.h5) of
  /// `/latents` [n, C, S, S] in the units of the training data and `/labels` [n]. Each says that sprint drew it, and in
  /// which precision.
  package func write(
    _ samples: [[Float]], labels: [Int], _ model: ModelConfiguration, _ properties: LatentProperties,
    _ precision: Precision
  ) throws {
    let comment = "drawn by sprint in \(precision.rawValue)"
    let grid = SampleGrid(channels: model.channels, side: model.side, properties)
    switch kind {
    case .png: try grid.picture(samples, labels: labels).writePNG(comment: comment, to: path)
    case .npz:
      try NPYArray.writeNPZ(
        samples.flatMap(grid.bytes), shape: [samples.count, model.side, model.side, model.channels], name: "arr_0",
        comment: comment, to: path)
    case .h5: try writeHDF5(samples, labels, model, properties, comment)
    }
  }

  private func writeHDF5(
    _ samples: [[Float]], _ labels: [Int], _ model: ModelConfiguration, _ properties: LatentProperties,
    _ source: String
  ) throws {
    let plane = model.side * model.side
    let stored = try samples.enumerated().flatMap { image, sample in
      let values = sample.indices.map { properties.stored(sample[$0], channel: $0 / plane) }
      try SampleError.check(values, image: image)
      return values
    }
    try AtomicFile.create(path) { temporary in
      let file = try HDF5File(creating: temporary)
      try stored.withUnsafeBufferPointer {
        try file.write("/latents", shape: [samples.count, model.channels, model.side, model.side], $0)
      }
      try file.write("/labels", shape: [labels.count], labels.map { Int64($0) })
      try file.write(properties)
      try file.write(attribute: "source", source)
      try file.close()
    }
  }
}
