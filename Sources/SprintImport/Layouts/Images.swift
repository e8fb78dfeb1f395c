import Foundation
import SprintData
import SprintFormats
import SprintVision

extension ImportLayout {
  /// Pictures, in one folder a class: cropped to squares as ADM, REPA and SPRINT do, and encoded if there is an
  /// autoencoder.
  static let images = ImportLayout(
    name: "images",
    recognise: { ImageNames.prevail(in: $0.names + $0.innerNames) ? .certain(.endingInside) : nil },
    open: { path, options in
      guard let side = options.images.side else {
        throw FileError.unusable(
          path: path, problem: "holds pictures, which have to be cut to one size", remedy: ImportRemedy.nameSide)
      }
      return try ImageFolder(path, side: side, upright: options.images.isUpright, labels: options.labels)
    },
    takesLabels: true,
    takesImages: true,
    scaling: nil,
    secondHalf: nil)
}

/// Whether a folder is one of pictures by the names in it.
private enum ImageNames {
  /// Whether most of the names with an ending are those of pictures.
  static func prevail(in names: [String]) -> Bool {
    let files = names.filter { $0.contains(".") && !Clutter.isOne($0) }
    return files.count { PictureName.isOne($0) } * 2 > files.count
  }
}

/// A folder of pictures. The class of a picture is the place of its folder among the sorted folders that hold pictures,
/// however deep; pictures without folders have class 0. `dataset.json` names other classes.
private struct ImageFolder: LatentSource {
  let shape: SourceShape
  let notes: [String]
  let classNames: [String]
  private let path: String
  private let upright: Bool
  private let table: LabelTable

  /// The most parts of a path.
  private static let depth = 16

  init(_ path: String, side: Int, upright: Bool, labels: String?) throws {
    let found = try SourceFolder(path).walk(depth: Self.depth) { _ in true }
    let pictures = found.files.filter(PictureName.isOne).sorted(by: NameOrder.isBefore)
    let others = found.files.filter { !PictureName.isOne($0) && $0 != SampleFiles.tableName }
    let ownTable = found.files.contains(SampleFiles.tableName)
    var notes: [String] = []
    if labels != nil || ownTable {
      let own = ownTable && labels == nil ? try Self.table(in: path) : nil
      (table, notes) = try LabelTable.make(labels, own: own, of: path, names: pictures) { _ in true }
      classNames = []
    } else {
      let classes = try ImageClasses(pictures, in: path)
      (table, classNames) = (try LabelTable(classes.pairs, of: path), classes.names)
    }
    shape = try SourceShape([3, side, side], moments: false)
    (self.path, self.upright) = (path, upright)
    self.notes =
      notes
      + [
        Clutter.note(found.clutter.sorted(by: NameOrder.isBefore), Clutter.reason),
        Clutter.note(others.sorted(by: NameOrder.isBefore), "their names are not those of pictures"),
      ].compactMap(\.self)
  }

  private static func table(in path: String) throws -> (name: String, json: Data) {
    let name = SampleFiles.tableName
    return (name, try RandomAccessFile(reading: "\(path)/\(name)").contents())
  }

  var count: Int { table.count }

  var contents: String { "\(table.fingerprint) \(upright)" }

  func files(_ index: Int) -> [String] { ["\(path)/\(table.name(index))"] }

  func name(_ index: Int) -> String { table.name(index) }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try Picture(reading: "\(path)/\(table.name(index))", upright: upright).centreCrop(side: shape.side)
      .planes(into: values)
    return table.label(index)
  }
}

/// The classes of pictures by their folders.
private struct ImageClasses {
  /// The names of the folders, in the order of the classes; empty where there are none.
  let names: [String]
  let pairs: [(name: String, label: Int)]

  init(_ pictures: [String], in path: String) throws {
    let folders = pictures.map { $0.split(separator: "/").dropLast().first.map(String.init) }
    let names = Set(folders.compactMap(\.self)).sorted(by: NameOrder.isBefore)
    if !names.isEmpty, let loose = folders.firstIndex(of: nil) {
      throw FileError.unusable(
        path: path,
        problem: "holds \(folders.count { $0 == nil }) pictures beside folders of classes, such as `\(pictures[loose])`"
          + " beside `\(names[0])`; move them into a folder of their class, or away")
    }
    let labels = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    pairs = zip(pictures, folders).map { ($0, $1.flatMap { labels[$0] } ?? 0) }
    self.names = names
  }
}
