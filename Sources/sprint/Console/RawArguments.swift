import ArgumentParser

/// The arguments as the system hands them over: bytes.
enum RawArguments {
  /// Throws if an argument is not UTF-8. Swift would replace its bad bytes, and the name of a file would become that of
  /// another one.
  static func requireUTF8() throws {
    for (index, argument) in CommandLine.unsafeArguments.enumerated() where index > 0 {
      guard String(validatingCString: argument) == nil else { continue }
      throw ValidationError(
        "argument \(index), `\(String(cString: argument))`, is not UTF-8; sprint takes only UTF-8, so rename the file "
          + "or the folder, or make a link to it")
    }
  }
}

extension CommandLine {
  fileprivate static var unsafeArguments: [UnsafePointer<CChar>] {
    (0..<Int(argc)).compactMap { unsafeArgv[$0].map { UnsafePointer($0) } }
  }
}
