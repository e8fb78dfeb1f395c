import SprintFormats

extension ImportLayout {
  /// All layouts, in the order in which messages list them.
  package static let all = [repa, edm2, repaE, speedrunDiT, fastDiT, lightningDiT, mar, maskDiT]

  /// Returns the layout of the source at `path`; throws unless it is clear.
  package static func detect(_ path: String) throws -> ImportLayout {
    let listing = try SourceListing(path)
    var best: (layout: ImportLayout, evidence: Evidence)?
    var reason: String?
    for layout in all {
      switch try layout.recognise(listing) {
      case .certain(let evidence)?: if best.map({ evidence > $0.evidence }) ?? true { best = (layout, evidence) }
      case .ambiguous(let why)?: reason = reason ?? why
      case nil: break
      }
    }
    if let best { return best.layout }
    let unknown = listing.isFolder ? "no known layout was recognised" : "no folder, .h5 or .zip"
    throw FileError.unusable(path: path, problem: reason ?? unknown, remedy: ImportRemedy.nameLayout)
  }
}
