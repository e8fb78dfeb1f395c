import CLMDB
import Foundation

/// An LMDB database, opened for reading. One thread at a time calls the library.
package final class LMDBDatabase: @unchecked Sendable {
  /// The folder of the database.
  package let path: String
  private var environment: OpaquePointer?
  private var transaction: OpaquePointer?
  private var database: MDB_dbi = 0
  private let lock = NSLock()

  /// Opens the database in a folder.
  package init(reading path: String) throws {
    self.path = path
    try check("prepare the database", mdb_env_create(&environment))
    // No lock files: the folder may be read-only, and nobody writes to it.
    try check("open the database", mdb_env_open(environment, path, UInt32(MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS), 0o644))
    try checkSize()
    try check("read the database", mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
    try check("read the database", mdb_dbi_open(transaction, nil, 0, &database))
  }

  deinit {
    if let transaction { mdb_txn_abort(transaction) }
    mdb_env_close(environment)
  }

  /// Throws if the file is too short. The library maps it into memory, where a missing page would kill the process.
  private func checkSize() throws {
    var (info, status) = (MDB_envinfo(), MDB_stat())
    try check("look at the database", mdb_env_info(environment, &info))
    try check("look at the database", mdb_env_stat(environment, &status))
    let needed = (info.me_last_pgno + 1) * Int(status.ms_psize)
    let found = try RandomAccessFile(reading: "\(path)/data.mdb").size
    guard found >= needed else {
      throw FileError.unusable(path: path, problem: "truncated: data.mdb has \(found) bytes, its pages need \(needed)")
    }
  }

  /// Returns the value of a key, or nil if the database does not have it.
  package func value(of key: String) throws -> Data? {
    var bytes = Array(key.utf8)
    return try lock.withLock {
      try bytes.withUnsafeMutableBytes { buffer in
        var key = MDB_val(mv_size: buffer.count, mv_data: buffer.baseAddress)
        var value = MDB_val()
        let code = mdb_get(transaction, database, &key, &value)
        if code == MDB_NOTFOUND { return nil }
        try check("read a value", code)
        return Data(bytes: value.mv_data, count: value.mv_size)
      }
    }
  }

  private func check(_ action: String, _ code: Int32) throws {
    guard code == 0 else {
      throw FileError.unusable(path: path, problem: "cannot \(action): \(String(cString: mdb_strerror(code)))")
    }
  }
}
