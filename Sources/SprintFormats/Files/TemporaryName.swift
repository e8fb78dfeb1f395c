import Foundation

/// The name of a file that is being written: `NAME.HOST.PROCESS.NUMBER.partial`. The number is random, so no other
/// process and no other thread uses the same name, not even in a container with the same host name and process id.
struct TemporaryName {
  static let ending = "partial"
  private static let longest = Int(NAME_MAX)

  /// The name that the file gets once it is whole; its end may be missing where the temporary name would be too long.
  let base: String
  private let host: String
  private let process: Int32

  /// Returns a new temporary path beside `path`.
  static func beside(_ path: String) -> String {
    let name = (path as NSString).lastPathComponent
    let end = ".\(host).\(getpid()).\(String(UInt32.random(in: 0...UInt32.max), radix: 16)).\(ending)"
    var base = name
    while base.utf8.count + end.utf8.count > longest, !base.isEmpty { base.removeLast() }
    return path.dropLast(name.count) + base + end
  }

  /// Reads a name; nil if it is not a temporary one.
  init?(_ name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 5, parts[parts.count - 1] == Self.ending, UInt32(parts[parts.count - 2], radix: 16) != nil,
      let process = Int32(parts[parts.count - 3]), process > 0
    else { return nil }
    (self.process, host) = (process, String(parts[parts.count - 4]))
    base = parts.dropLast(4).joined(separator: ".")
  }

  /// Whether the process that wrote the file has ended. False for processes of other hosts, which nobody here can see.
  var isLeftOver: Bool { host == Self.host && kill(process, 0) != 0 && errno == ESRCH }

  /// The name of this host without characters that have a meaning in paths and temporary names.
  private static let host = String(
    HostName.current.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
}
