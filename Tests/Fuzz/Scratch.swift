import Foundation

/// A folder in memory for the files that readers get.
enum Scratch {
  /// The folder, which `launch/fuzz.sh` makes and removes.
  static let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/dev/shm"

  /// Returns the path of a file.
  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a file anew and returns its path.
  @discardableResult
  static func write(_ bytes: UnsafeRawBufferPointer, to name: String) -> String {
    let path = path(name)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(Foundation.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count, "\(path) is full")
    close(descriptor)
    return path
  }

  /// Whether a file is small: a recipe may leave room for gigabytes, which only take time to read.
  static func isSmall(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_size < 16 << 20
  }

  /// Replaces bytes of a file where a recipe says so: pairs of a place and a value.
  static func damage(_ path: String, _ recipe: inout Recipe) {
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    let size = UInt64(max(1, lseek(descriptor, 0, SEEK_END)))
    while !recipe.isOver {
      let place = (UInt64(recipe.next()) << 8 | UInt64(recipe.next())) % size
      var value = recipe.next()
      pwrite(descriptor, &value, 1, off_t(place))
    }
  }
}
