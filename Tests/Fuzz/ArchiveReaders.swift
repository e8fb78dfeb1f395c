import CLMDB
import Foundation
import SprintFormats

/// Opens a zip archive and reads every entry, as an array too.
func readArchive(_ bytes: UnsafeBufferPointer<UInt8>) {
  let path = Scratch.write(UnsafeRawBufferPointer(bytes), to: "input.npz")
  guard let archive = try? ZipArchive(reading: path) else { return }
  for name in archive.names {
    guard let contents = try? archive.contents(of: name) else { continue }
    precondition(contents.count <= 1100 * (bytes.count + 1), "\(contents.count) bytes out of \(bytes.count)")
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

/// The bytes of a small database with values in pages of their own.
private let goodDatabase: Data = {
  let folder = Scratch.path("lmdb")
  mkdir(folder, 0o700)
  var (environment, transaction): (OpaquePointer?, OpaquePointer?) = (nil, nil)
  var database: MDB_dbi = 0
  mdb_env_create(&environment)
  mdb_env_open(environment, folder, 0, 0o600)
  mdb_txn_begin(environment, nil, 0, &transaction)
  mdb_dbi_open(transaction, nil, 0, &database)
  for (name, size) in [("length", 1), ("z-0", 2048), ("z-1", 2048), ("z-2", 9000), ("y-0", 1), ("y-1", 1), ("y-2", 1)] {
    var (key, value) = (Array(name.utf8), [UInt8](repeating: 51, count: size))
    key.withUnsafeMutableBytes { key in
      value.withUnsafeMutableBytes { value in
        var key = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
        var value = MDB_val(mv_size: value.count, mv_data: value.baseAddress)
        mdb_put(transaction, database, &key, &value, 0)
      }
    }
  }
  mdb_txn_commit(transaction)
  mdb_env_close(environment)
  guard let contents = FileManager.default.contents(atPath: "\(folder)/data.mdb") else {
    preconditionFailure("no database was written")
  }
  return contents
}()
