import Crypto
import Foundation

/// Size and SHA-256 of a file, which tell a whole file from a damaged one.
package struct Fingerprint: Codable, Equatable, Sendable {
  /// Bytes in the file.
  package let size: Int
  /// SHA-256 of the contents, in hexadecimal digits.
  package let sha256: String

  /// Reads the whole file, at a pace.
  package init(of path: String, pace: Pace? = nil) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open") }
    defer { close(descriptor) }
    var (hash, size) = (SHA256(), 0)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let began = ContinuousClock.now
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw FileError.last(path, "read") }
      if count == 0 { break }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
      pace?.rest(since: began)
    }
    self.size = size
    sha256 = hash.finalize().map { String(format: "%02x", $0) }.joined()
  }
}
