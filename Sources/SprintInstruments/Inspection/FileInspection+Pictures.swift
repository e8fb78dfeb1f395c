import Foundation
import SprintFormats

extension FileInspection {
  /// A PNG or JPEG picture.
  static func picture(_ path: String, _ kind: FileKind) throws -> FileInspection {
    guard let header = try PictureHeader(path: path) else {
      throw FileError.unusable(path: path, problem: "\(kind.rawValue) that ends before its extents")
    }
    return FileInspection(
      what:
        "\(kind.rawValue) of \(header.width) x \(header.height) pixels, \(header.colors), "
        + "\(header.bits) bits a channel",
      notes: ["sprint trains on latents, or on pixels in HDF5; it reads no pictures"])
  }

  /// An event file of TensorBoard with its series.
  static func events(_ path: String) throws -> FileInspection {
    let summary = try EventSummary(path: path)
    let steps =
      summary.series.isEmpty
      ? ""
      : ", steps \(summary.series.map(\.first).min() ?? 0) to "
        + "\(summary.series.map(\.last).max() ?? 0)"
    return FileInspection(
      what: "event file of TensorBoard, \(summary.events) events\(steps)",
      entries: summary.series.map {
        Entry(name: $0.tag, type: "\(count($0.count, "value")), steps \($0.first) to \($0.last)")
      })
  }
}
