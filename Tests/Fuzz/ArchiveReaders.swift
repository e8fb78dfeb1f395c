import Foundation
import SprintFormats

/// Opens a zip archive and reads every entry, as an array too.
func readArchive(_ bytes: UnsafeBufferPointer<UInt8>) {
  let path = Scratch.write(UnsafeRawBufferPointer(bytes), to: "input.npz")
  guard let archive = try? ZipArchive(reading: path) else { return }
  for name in archive.names {
    guard let contents = try? archive.contents(of: name) else { continue }
    precondition(contents.count <= bytes.count + 24 << 20, "\(contents.count) bytes out of \(bytes.count)")
    read(array: contents)
  }
}

/// Looks up the keys of a good database some bytes of which the recipe replaces.
func readDatabase(_ bytes: UnsafeBufferPointer<UInt8>) {
  var recipe = Recipe(bytes)
  let path = goodDatabase.withUnsafeBytes { Scratch.write($0, to: "data.mdb") }
  truncate(path, recipe.pick([off_t(goodDatabase.count), 0, 4096, 8192, 12288, off_t(goodDatabase.count) - 1]))
  Scratch.damage(path, &recipe)
  guard let database = try? LMDBDatabase(reading: Scratch.folder) else { return }
  for key in ["length", "z-0", "z-1", "z-2", "y-0", "y-1", "y-2", "", "zzz"] { _ = try? database.value(of: key) }
}

/// The bytes of a small database with values in pages of their own, which `launch/fuzz.sh` makes.
private let goodDatabase: Data = {
  guard let contents = FileManager.default.contents(atPath: Scratch.path("good.mdb")) else {
    preconditionFailure("launch/fuzz.sh has made no \(Scratch.path("good.mdb"))")
  }
  return contents
}()
