import Foundation
import SprintFormats

extension ImportLayout {
  /// All layouts, in the order in which messages list them.
  package static let all = [repa, edm2, repaE, speedrunDiT, fastDiT, lightningDiT, mar, maskDiT, images]

  /// Returns the layout of the source at `path`; throws unless it is clear.
  package static func detect(_ path: String) throws -> ImportLayout { try locate(path, nil).layout }

  private static let mostFoldersBelow = 64

  /// Finds the source at `path`, or the only one in that folder.
  ///
  /// - Parameter choice: the layout that the user names; nil takes the one that is recognised
  /// - Returns: the layout, and the path of the source
  static func locate(_ path: String, _ choice: ImportLayout?) throws -> (layout: ImportLayout, path: String) {
    if let choice, choice.takesImages { return (choice, path) }
    let layouts = choice.map { [$0] } ?? all
    let listing = try SourceListing(path)
    let own = try recognise(listing, layouts)
    if let layout = own.layout ?? (own.reason == nil ? nil : choice) { return (layout, path) }
    if let reason = own.reason {
      throw FileError.unusable(path: path, problem: reason, remedy: ImportRemedy.nameLayout)
    }
    let below = try sourcesBelow(path, listing, layouts, choice)
    guard below.count <= 1 else {
      let names = below.prefix(5).map { "`\(($0.path as NSString).lastPathComponent)` (\($0.layout))" }
      throw FileError.unusable(
        path: path,
        problem: "holds \(below.count) sources, expected one: \(names.joined(separator: ", "))"
          + "\(below.count > 5 ? " and \(below.count - 5) more" : ""); name the path of one of them")
    }
    if let only = below.first { return only }
    guard let choice else {
      let unknown = listing.isFolder ? "no known layout was recognised" : "no folder, .h5, .zip or LMDB database"
      throw FileError.unusable(path: path, problem: unknown, remedy: ImportRemedy.nameLayout)
    }
    return (choice, path)
  }

  private static func recognise(
    _ listing: SourceListing, _ layouts: [ImportLayout]
  ) throws -> (layout: ImportLayout?, reason: String?) {
    var best: (layout: ImportLayout, evidence: Evidence)?
    var reason: String?
    for layout in layouts {
      switch try layout.recognise(listing) {
      case .certain(let evidence)?: if best.map({ evidence > $0.evidence }) ?? true { best = (layout, evidence) }
      case .ambiguous(let why)?: reason = reason ?? why
      case nil: break
      }
    }
    return (best?.layout, best == nil ? reason : nil)
  }

  private static func sourcesBelow(
    _ path: String, _ listing: SourceListing, _ layouts: [ImportLayout], _ choice: ImportLayout?
  ) throws -> [(layout: ImportLayout, path: String)] {
    guard listing.candidates.count <= mostFoldersBelow else { return [] }
    return try listing.candidates.compactMap { name in
      let inner = "\(path)/\(name)"
      let found = try recognise(SourceListing(inner), layouts)
      return (found.layout ?? (found.reason == nil ? nil : choice)).map { ($0, inner) }
    }
  }
}
