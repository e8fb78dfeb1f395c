import SprintData
import SprintFormats
import SprintKernels

/// The images of a data set of pixels (.h5), clipped to its range of pixels.
final class ImageDataset: ImageSet {
  let path: String
  let extents: ImageExtents
  private let dataset: LatentDataset

  init(path: String) throws {
    self.path = path
    dataset = try LatentDataset(paths: [path])
    let isPixels = dataset.properties.kind == "pixels" && !dataset.hasMoments
    guard isPixels, [1, 3].contains(dataset.channels) else {
      let found = "\(dataset.channels) x \(dataset.side) x \(dataset.side)"
      throw FileError.unusable(
        path: path,
        problem: "holds \(isPixels ? "pixels" : dataset.hasMoments ? "moments" : "latents") of \(found), "
          + "expected pixels of 1 or 3 channels\(isPixels ? "" : ", which the attribute `kind` says")",
        remedy: isPixels ? nil : EvaluationRemedy.decodeLatents)
    }
    extents = ImageExtents(channels: dataset.channels, height: dataset.side, width: dataset.side)
  }

  var count: Int { dataset.count }
  var origin: String { dataset.source }
  var stamp: String { get throws { try FileStamp(path: path).description } }

  func pictures(_ range: Range<Int>, _: Workers) throws -> [UsableImage<Picture>] {
    try range.map { .whole(extents.picture(extents.bytes(try pixels($0)))) }
  }

  func pixels(_ range: Range<Int>, _: Workers) throws -> [UsableImage<[Float]>] {
    try range.map { .whole(try pixels($0)) }
  }

  private func pixels(_ index: Int) throws -> [Float] {
    var values = [Float](repeating: 0, count: extents.elements)
    try values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      try dataset.readStored(index, into: Vector(base, count: buffer.count))
    }
    if let bad = values.first(where: { !$0.isFinite }) {
      throw FileError.unusable(path: path, problem: "image \(index) holds \(bad), expected finite numbers")
    }
    let range = dataset.properties.pixelRange
    let (middle, half) = ((range.lowerBound + range.upperBound) / 2, (range.upperBound - range.lowerBound) / 2)
    return values.map { Float(max(-1, min(1, (Double($0) - middle) / half))) }
  }
}
