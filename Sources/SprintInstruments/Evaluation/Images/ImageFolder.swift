import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintVision
import Synchronization

/// The PNG and JPEG pictures of a folder and of the folders in it, in the order of their paths.
final class ImageFolder: ImageSet, Sendable {
  let path: String
  let extents: ImageExtents
  let origin: String
  /// What lies there and is no picture: a line, or nil.
  let note: String?
  private let names: [String]
  private let options: FolderOptions
  /// The picture that all others have to be as large as; nil where they are cropped.
  private let model: String?

  init(path: String, _ options: FolderOptions) throws {
    (self.path, self.options) = (path, options)
    let all = try Self.files(path, "")
    names = all.filter(PictureName.isOne).sorted()
    origin = Self.origin(path)
    note = Clutter.note(
      all.filter { !PictureName.isOne($0) && $0 != Self.table }, "their names are not those of pictures")
    guard !names.isEmpty else {
      throw FileError.unusable(
        path: path,
        problem: "holds no picture (\(all.isEmpty ? "no file" : "\(all.count) other files")), expected .png, .jpg or "
          + ".jpeg files, here or in folders of it")
    }
    (model, extents) = try Self.extents(of: names, in: path, options)
  }

  /// The extents to which pictures are cropped, or the first picture that can be used and its extents.
  private static func extents(of names: [String], in path: String, _ options: FolderOptions) throws -> (
    model: String?, ImageExtents
  ) {
    if let side = options.side { return (nil, ImageExtents(channels: 3, height: side, width: side)) }
    let usable = options.skipsBroken ? names.first { (try? Picture(reading: "\(path)/\($0)")) != nil } : nil
    let model = usable ?? names[0]
    let picture = try Self.advising { try Picture(reading: "\(path)/\(model)") }
    return (model, ImageExtents(channels: 3, height: picture.height, width: picture.width))
  }

  /// What `sprint sample` and data sets of EDM write beside pictures: their classes, and where they are from.
  private static let table = "dataset.json"

  private static func origin(_ path: String) -> String {
    struct Table: Decodable { let source: String? }
    let contents = FileManager.default.contents(atPath: "\(path)/\(table)")
    return contents.flatMap { try? JSONDecoder().decode(Table.self, from: $0) }?.source ?? ""
  }

  /// Returns the paths of all files below a folder, relative to `root`.
  private static func files(_ root: String, _ folder: String) throws -> [String] {
    let listing = try FolderListing("\(root)/\(folder)")
    if let foreign = listing.foreign.first {
      throw FileError.unusable(path: "\(root)/\(folder)", problem: "holds `\(foreign)`, which is not UTF-8; rename it")
    }
    return try listing.names.filter { !Clutter.isOne($0) }.flatMap { name in
      let isFolder = listing.mayBeFolders.contains(name) && FolderListing.isFolder("\(root)/\(folder)\(name)")
      return isFolder ? try files(root, "\(folder)\(name)/") : ["\(folder)\(name)"]
    }
  }

  var count: Int { names.count }

  var stamp: String {
    get throws {
      let files = try names.map { "\($0) \(try FileStamp(path: "\(path)/\($0)"))" }
      return "\(options)\n" + files.joined(separator: "\n")
    }
  }

  func pictures(_ range: Range<Int>, _ workers: Workers) throws -> [UsableImage<Picture>] {
    let found = Mutex([UsableImage<Picture>?](repeating: nil, count: range.count))
    let failures = FirstFailure()
    workers.run(tasks: range.count) { _, i in
      do {
        let image = try image(names[range.lowerBound + i])
        found.withLock { $0[i] = image }
      } catch { failures.note(i, error) }
    }
    try failures.rethrow()
    return found.withLock { $0.compactMap(\.self) }
  }

  private func image(_ name: String) throws -> UsableImage<Picture> {
    guard options.skipsBroken else { return .whole(try Self.advising { try read(name) }) }
    do { return .whole(try read(name)) } catch let error as FileError where error.concernsOneFile {
      return .leftOut("\(error)")
    }
  }

  /// Reads a picture; the error of a broken one gets its remedy.
  private static func advising(_ read: () throws -> Picture) throws -> Picture {
    do { return try read() } catch FileError.unusable(let path, let problem, nil) {
      throw FileError.unusable(path: path, problem: problem, remedy: EvaluationRemedy.skipBroken)
    }
  }

  private func read(_ name: String) throws -> Picture {
    let picture = try Picture(reading: "\(path)/\(name)")
    if let side = options.side { return picture.centreCrop(side: side) }
    guard picture.width == extents.width, picture.height == extents.height else {
      throw FileError.unusable(
        path: "\(path)/\(name)",
        problem: "\(picture.width) x \(picture.height) pixels, expected \(extents.width) x \(extents.height) as of "
          + "\(model ?? "")", remedy: EvaluationRemedy.nameSide)
    }
    return picture
  }

  func pixels(_ range: Range<Int>, _ workers: Workers) throws -> [UsableImage<[Float]>] {
    try pictures(range, workers).map { $0.map { extents.numbers($0.pixels) } }
  }
}
