import Foundation
import SprintFormats
import SprintInstruments

/// Opens a good npz file of images and statistics, some bytes of which a recipe replaces, and reads all of it.
func readStatistics(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  let good = goodStatistics[recipe.next() % 2 == 0 ? 0 : 1]
  let path = good.withUnsafeBytes { Scratch.write($0, to: "statistics.npz") }
  if recipe.next() % 8 == 1 { truncate(path, off_t(recipe.number(UInt64(good.count)) % UInt64(good.count + 1))) }
  Scratch.damage(path, &recipe)
  guard let archive = try? ZipArchive(reading: path) else { return }
  _ = archive.comment
  _ = try? FeatureStatistics(archive)
  for name in ["arr_0", "mu", "sigma"] {
    guard let array = try? NPYReader(archive, name), array.entryBytes < 1 << 20 else { continue }
    var entry = [UInt8](repeating: 0, count: array.entryBytes)
    for index in stride(from: min(array.shape.first ?? 0, 3) - 1, through: 0, by: -1) {
      try? entry.withUnsafeMutableBytes { try array.read(index, into: $0) }
    }
  }
}

/// The bytes of small files, stored and deflated, which `launch/fuzz.sh` makes.
private let goodStatistics: [Data] = ["stored", "deflated"].map { name in
  guard let contents = FileManager.default.contents(atPath: Scratch.path("\(name).npz")) else {
    preconditionFailure("launch/fuzz.sh has made no \(Scratch.path("\(name).npz"))")
  }
  return contents
}
