import Crypto
import Foundation

/// Size and SHA-256 of a file or of numbers, which tell a whole file from a damaged one, and one content from another.
package struct Fingerprint: Codable, Equatable, Sendable {
  /// The number of bytes.
  package let size: Int
  /// SHA-256 of the bytes, in hexadecimal digits.
  package let sha256: String

  /// Adds up bytes piece by piece.
  package struct Sum {
    private var hash = SHA256()
    private var size = 0

    /// Nothing yet.
    package init() {}

    /// Adds bytes.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
      hash.update(bufferPointer: bytes)
      size += bytes.count
    }

    /// Adds the bytes of numbers.
    package mutating func add<Number: BitwiseCopyable>(_ numbers: [Number]) {
      numbers.withUnsafeBytes { add($0) }
    }

    /// The fingerprint of all that was added.
    package var fingerprint: Fingerprint {
      Fingerprint(size: size, sha256: hash.finalize().map { String(format: "%02x", $0) }.joined())
    }
  }

  private init(size: Int, sha256: String) { (self.size, self.sha256) = (size, sha256) }

  /// Reads the whole file, at a pace.
  package init(of path: String, pace: Pace? = nil) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError.last(path, "open") }
    defer { close(descriptor) }
    var sum = Sum()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let began = ContinuousClock.now
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw FileError.last(path, "read") }
      if count == 0 { break }
      sum.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      pace?.rest(since: began)
    }
    self = sum.fingerprint
  }
}
