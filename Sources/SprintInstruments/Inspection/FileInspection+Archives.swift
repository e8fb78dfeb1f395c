import Foundation
import SprintFormats

extension FileInspection {
  /// A zip archive with its entries.
  static func zip(_ path: String, _ importHint: (String) -> String?) throws -> FileInspection {
    let names = try ZipArchive(reading: path).names.filter { !$0.hasSuffix("/") }
    let isLatents = names.contains { $0.contains("img-mean-std-") || $0.contains("img-latents-") }
    let hint = isLatents ? importHint(path) : nil
    return FileInspection(
      what: "zip archive of \(count(names.count, "file"))\(names.isEmpty ? "" : ": \(endings(names))")",
      notes: hint.map { [$0] } ?? [],
      entries: names.map { Entry(name: $0) })
  }

  /// An LMDB database, by its file.
  static func lmdb(_ path: String, _ importHint: (String) -> String?) throws -> FileInspection {
    let database = try LMDBDatabase(reading: path)
    let isMaskDiT = try ["length", "z-0", "y-0"].allSatisfy { try database.value(of: $0) != nil }
    let length = try database.value(of: "length").map { String(decoding: $0.prefix(20), as: UTF8.self) } ?? "missing"
    let notes = isMaskDiT ? ["looks like MaskDiT's: `length` is \(length)", importHint(path)] : []
    return FileInspection(
      what: "LMDB database of \(count(Int(clamping: database.entries), "key"))", notes: notes.compactMap(\.self),
      entries: try database.firstKeys(5).map { Entry(name: $0) })
  }

  /// How many names have which ending, the most frequent first.
  static func endings(_ names: some Sequence<String>) -> String {
    let counts = names.reduce(into: [String: Int]()) {
      let ending = ($1 as NSString).pathExtension
      $0[ending.isEmpty ? "without an ending" : ".\(ending)", default: 0] += 1
    }
    return listed(counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { "\($0.value) \($0.key)" })
  }
}
