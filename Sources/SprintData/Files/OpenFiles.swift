import Synchronization

/// Open files by number, at most as many as `limit`. The files that were not used for longest make room for others; who
/// uses a file when it has to go keeps it open until the end of that use.
package final class OpenFiles<File: Sendable>: Sendable {
  private struct Entry {
    let file: File
    var lastUse: Int
  }

  private struct State {
    var entries: [Int: Entry] = [:]
    var uses = 0

    mutating func use(_ number: Int) -> File? {
      guard let entry = entries.index(forKey: number) else { return nil }
      uses += 1
      entries.values[entry].lastUse = uses
      return entries.values[entry].file
    }

    /// Keeps a file; returns those that have to go.
    mutating func keep(_ file: File, _ number: Int, limit: Int) -> [File] {
      var surplus: [File] = []
      if entries.count >= limit {
        // An eighth at once, because it takes a look at all of them.
        let oldest = entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(max(1, limit / 8))
        for (number, entry) in oldest {
          entries[number] = nil
          surplus.append(entry.file)
        }
      }
      uses += 1
      entries[number] = Entry(file: file, lastUse: uses)
      return surplus
    }
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: at least 1
  package init(limit: Int) { self.limit = max(1, limit) }

  /// Returns file `number`; `open` opens it if it is not open.
  package func file(_ number: Int, open: () throws -> File) throws -> File {
    if let file = state.withLock({ $0.use(number) }) { return file }
    let file = try open()
    // Closed without the lock: a file system may take its time.
    let surplus = state.withLock { $0.keep(file, number, limit: limit) }
    return withExtendedLifetime(surplus) { file }
  }

  /// Closes file `number`, which nobody needs any more.
  package func forget(_ number: Int) {
    let file = state.withLock { $0.entries.removeValue(forKey: number) }
    withExtendedLifetime(file) {}
  }

  /// The number of open files.
  package var count: Int { state.withLock { $0.entries.count } }
}
