import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Databases that LMDB's own library wrote, whole and damaged.
@Suite(.enabled(if: Python.has("lmdb"), Comment(rawValue: Python.lacks("lmdb")))) struct LMDBDatabaseTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("db") }
  private let keys = (0..<700).map { "key-\($0)" }

  init() throws {
    folder = try TemporaryFolder()
    // Two transactions; values inside leaves and on pages of their own; enough keys for branches.
    let script = """
      import lmdb
      with lmdb.open('\(folder.file("db"))', map_size=1 << 26) as env:
          for part in [range(0, 700, 2), range(1, 700, 2)]:
              with env.begin(write=True) as txn:
                  for i in part: txn.put(b'key-%d' % i, (b'%d;' % i) * (3000 if i % 50 == 0 else i % 90))
      """
    let made = try Python.run(["-c", script])
    try #require(made.code == 0, "\(made.errors)")
  }

  private func value(_ index: Int) -> Data {
    Data(String(repeating: "\(index);", count: index % 50 == 0 ? 3000 : index % 90).utf8)
  }

  @Test("Every value of a database is read back, and a key that it lacks is nil")
  func values() throws {
    let database = try LMDBDatabase(reading: path)
    for (index, key) in keys.enumerated() { #expect(try database.value(of: key) == value(index), "\(key)") }
    for key in ["", "key", "key-", "key-700", "key-1x", "zzz", "\u{1}"] { #expect(try database.value(of: key) == nil) }
  }

  @Test("A database is read from its folder, from its file, and from a file without a folder")
  func places() throws {
    let file = folder.file("alone.lmdb")
    try FileManager.default.copyItem(atPath: "\(path)/data.mdb", toPath: file)
    for place in [path, "\(path)/data.mdb", file] {
      let database = try LMDBDatabase(reading: place)
      for index in [0, 1, 50, 699] { #expect(try database.value(of: "key-\(index)") == value(index)) }
      #expect(FileManager.default.fileExists(atPath: database.dataPath))
    }
  }

  @Test("A damaged database gives errors or other values, and never ends the process")
  func damage() throws {
    var random = SystemRandomNumberGenerator()
    let whole = try Data(contentsOf: URL(fileURLWithPath: "\(path)/data.mdb"))
    var errors = 0
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<20 {
        // Half of the changes hit the headers of pages, where the offsets are.
        let at = Int.random(in: 0..<bytes.count, using: &random)
        let place = Bool.random(using: &random) ? at : at / 4096 * 4096 + at % 64
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      try bytes.write(to: URL(fileURLWithPath: "\(path)/data.mdb"))
      do {
        let database = try LMDBDatabase(reading: path)
        for key in keys { _ = try database.value(of: key) }
      } catch is FileError { errors += 1 }
    }
    #expect(errors > 100, "only \(errors) of 300 were noticed")
    for count in [0, 100, 4096, 8192, whole.count - 4096] {
      try whole.prefix(count).write(to: URL(fileURLWithPath: "\(path)/data.mdb"))
      #expect(throws: FileError.self, "\(count) bytes") { try LMDBDatabase(reading: path) }
    }
  }
}
