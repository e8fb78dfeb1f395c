import Foundation
import SprintData
import SprintFormats
import SprintKernels
import Synchronization

/// The PNG and JPEG pictures of a folder and of the folders in it, in the order of their paths.
final class ImageFolder: ImageSet {
  let path: String
  let extents: ImageExtents
  let origin: String
  /// What lies there and is no picture: a line, or nil.
  let note: String?
  private let names: [String]
  private static let endings = ["png", "jpg", "jpeg"]

  init(path: String) throws {
    self.path = path
    let all = try Self.files(path, "")
    names = all.filter(Self.isPicture).sorted()
    origin = Self.origin(path)
    note = Clutter.note(
      all.filter { !Self.isPicture($0) && $0 != Self.table }, "only .png, .jpg and .jpeg files are pictures")
    guard let first = names.first else {
      throw FileError.unusable(
        path: path,
        problem: "holds no picture (\(all.isEmpty ? "no file" : "\(all.count) other files")), expected .png, .jpg or "
          + ".jpeg files, here or in folders of it")
    }
    let picture = try Picture(reading: "\(path)/\(first)")
    extents = ImageExtents(channels: 3, height: picture.height, width: picture.width)
  }

  /// What `sprint sample` and data sets of EDM write beside pictures: their classes, and where they are from.
  private static let table = "dataset.json"

  private static func origin(_ path: String) -> String {
    struct Table: Decodable { let source: String? }
    let contents = FileManager.default.contents(atPath: "\(path)/\(table)")
    return contents.flatMap { try? JSONDecoder().decode(Table.self, from: $0) }?.source ?? ""
  }

  private static func isPicture(_ name: String) -> Bool {
    name.split(separator: ".").last.map { endings.contains($0.lowercased()) } ?? false
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
    get throws { try names.map { "\($0) \(try FileStamp(path: "\(path)/\($0)"))" }.joined(separator: "\n") }
  }

  func pictures(_ range: Range<Int>, _ workers: Workers) throws -> [Picture] {
    let (path, names, extents) = (path, names, extents)
    let found = Mutex([Picture?](repeating: nil, count: range.count))
    let failures = FirstFailure()
    workers.run(tasks: range.count) { _, i in
      do {
        let picture = try Self.read("\(path)/\(names[range.lowerBound + i])", extents, as: names[0])
        found.withLock { $0[i] = picture }
      } catch { failures.note(i, error) }
    }
    try failures.rethrow()
    return found.withLock { $0.compactMap(\.self) }
  }

  private static func read(_ path: String, _ extents: ImageExtents, as first: String) throws -> Picture {
    let picture = try Picture(reading: path)
    guard picture.width == extents.width, picture.height == extents.height else {
      throw FileError.unusable(
        path: path,
        problem: "\(picture.width) x \(picture.height) pixels, expected \(extents.width) x \(extents.height) as of "
          + "\(first)", remedy: EvaluationRemedy.importPictures)
    }
    return picture
  }

  func pixels(_ range: Range<Int>, _ workers: Workers) throws -> [[Float]] {
    try pictures(range, workers).map { extents.numbers($0.pixels) }
  }
}
