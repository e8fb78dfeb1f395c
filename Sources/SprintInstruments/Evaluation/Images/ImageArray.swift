import SprintFormats
import SprintKernels

/// The images of an npz file: `arr_0`, uint8 [n, H, W, 3] or [n, H, W, 1].
final class ImageArray: ImageSet {
  static let name = "arr_0"

  let path: String
  let count: Int
  let extents: ImageExtents
  let origin: String
  private let reader: NPYReader

  init(_ archive: ZipArchive) throws {
    (path, origin) = (archive.path, archive.comment)
    reader = try NPYReader(archive, Self.name)
    let shape = reader.shape
    guard reader.element == .uint8, shape.count == 4, [1, 3].contains(shape[3]), shape.allSatisfy({ $0 > 0 }),
      reader.entryBytes <= Self.mostBytes
    else { throw Self.unfit(reader, path) }
    (count, extents) = (shape[0], ImageExtents(channels: shape[3], height: shape[1], width: shape[2]))
  }

  /// Bytes of the largest image that is read: 9,000 x 9,000.
  private static let mostBytes = 1 << 28

  private static func unfit(_ reader: NPYReader, _ path: String) -> FileError {
    let shape = reader.shape
    let isChannelsFirst = shape.count == 4 && [1, 3].contains(shape[1]) && ![1, 3].contains(shape[3])
    let remedy =
      reader.element != .uint8
      ? "; store images from -1 to 1 as (127.5 * x + 127.5).clip(0, 255).astype('uint8')"
      : isChannelsFirst ? "; channels come last: store x.transpose(0, 2, 3, 1)" : ""
    return .unexpected(
      path: path, name: name, found: "\(reader.element) \(shape)",
      expected: "uint8 [n, H, W, 3] or [n, H, W, 1] with n, H and W at least 1\(remedy)")
  }

  var stamp: String { get throws { try FileStamp(path: path).description } }

  func pictures(_ range: Range<Int>, _: Workers) throws -> [UsableImage<Picture>] {
    try range.map { .whole(extents.picture(try bytes($0))) }
  }

  func pixels(_ range: Range<Int>, _: Workers) throws -> [UsableImage<[Float]>] {
    try range.map { .whole(extents.numbers(try bytes($0))) }
  }

  private func bytes(_ index: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: extents.elements)
    try bytes.withUnsafeMutableBytes { try reader.read(index, into: $0) }
    return bytes
  }
}
