import Foundation

extension FileKind {
  /// Recognises the file at `path`. Throws where it cannot be read, or is a folder, a device, a socket or a pipe.
  package init(path: String) throws {
    // Opening a pipe would wait for its other end.
    try Self.checkRegular(path)
    let file = try RandomAccessFile(reading: path)
    let size = try file.size
    guard size > 0 else {
      self = .empty
      return
    }
    let head = try file.bytes(at: 0, count: min(size, Self.headBytes))
    self = try Self.signed(head) ?? Self.headed(head, size) ?? Self.hdf5(in: file) ?? Self.text(head) ?? .unknown
  }

  /// Enough for the beginning of every format and for the first words of a text.
  private static let headBytes = 1 << 16

  private static func checkRegular(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError.last(path, "open") }
    let kinds: [mode_t: String] = [
      S_IFDIR: "a folder", S_IFSOCK: "a socket", S_IFIFO: "a pipe", S_IFCHR: "a device", S_IFBLK: "a device",
    ]
    if let kind = kinds[status.st_mode & S_IFMT] {
      throw FileError.unusable(path: path, problem: "\(kind), expected a file")
    }
  }

  // MARK: Signatures

  private struct Signature {
    let place: Int
    let bytes: [UInt8]
    let kind: FileKind

    init(_ kind: FileKind, _ text: String, at place: Int = 0) { self.init(kind, Array(text.utf8), at: place) }

    init(_ kind: FileKind, _ bytes: [UInt8], at place: Int = 0) {
      (self.place, self.bytes, self.kind) = (place, bytes, kind)
    }

    func isIn(_ head: [UInt8]) -> Bool {
      place + bytes.count <= head.count && head[place..<place + bytes.count].elementsEqual(bytes)
    }
  }

  private static let signatures = [
    Signature(.hdf5, HDF5Superblock.signature), Signature(.npy, [0x93] + Array("NUMPY".utf8)),
    Signature(.lmdb, [0xde, 0xc0, 0xef, 0xbe], at: 16),
    Signature(.png, [0x89] + Array("PNG\r\n".utf8) + [0x1a, 0x0a]), Signature(.jpeg, [0xff, 0xd8, 0xff]),
    Signature(.otherPicture, "GIF8"), Signature(.otherPicture, "WEBP", at: 8), Signature(.otherPicture, "II*\0"),
    Signature(.otherPicture, "MM\0*"), Signature(.gzip, [0x1f, 0x8b]), Signature(.packed, "BZh"),
    Signature(.packed, [0xfd] + Array("7zXZ\0".utf8)), Signature(.packed, [0x28, 0xb5, 0x2f, 0xfd]),
    Signature(.packed, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]), Signature(.packed, "Rar!"),
    Signature(.tar, "ustar", at: 257), Signature(.gguf, "GGUF"), Signature(.parquet, "PAR1"),
    Signature(.parquet, "ARROW1"), Signature(.appleDouble, [0, 5, 0x16, 7]),
    Signature(.foreignText, [0xff, 0xfe]), Signature(.foreignText, [0xfe, 0xff]),
  ]

  private static func signed(_ head: [UInt8]) -> FileKind? { signatures.first { $0.isIn(head) }?.kind }

  // MARK: Beginnings that have to be read

  private static func headed(_ head: [UInt8], _ size: Int) -> FileKind? {
    if head.starts(with: Array("PK".utf8)), let kind = zip(head) { return kind }
    if let kind = pickle(head) { return kind }
    // An event file begins with an event that names the format's version.
    if head.prefix(64).contains(text: "brain.Event:") { return .events }
    if isSafetensors(head) { return .safetensors }
    return head.allSatisfy { $0 == 0 } ? .zeros : nil
  }

  /// The kind of a zip archive by its first entry: an archive of numpy holds arrays only, and PyTorch writes its pickle
  /// near the beginning.
  private static func zip(_ head: [UInt8]) -> FileKind? {
    if head.starts(with: [0x50, 0x4b, 5, 6]) { return .zip }
    guard head.starts(with: [0x50, 0x4b, 3, 4]), head.count >= 30 else { return nil }
    let length = Int(head[26]) | Int(head[27]) << 8
    let name = String(decoding: head.dropFirst(30).prefix(length), as: UTF8.self)
    if name == "data.pkl" || head.contains(text: "/data.pkl") { return .torch }
    return name.hasSuffix(".npy") && !name.contains("/") ? .npz : .zip
  }

  /// The kind of a pickle: of protocols 2 to 5, which begin with their number, or of the older ones in text.
  private static func pickle(_ head: [UInt8]) -> FileKind? {
    // The number by which PyTorch marked its files until 2020.
    let mark: [UInt8] = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
    if head.first == 0x80, head.count > 1, (2...5).contains(head[1]) {
      return head.dropFirst(2).starts(with: mark) ? .torch : .pickle
    }
    let old = ["(dp0", "(lp0", "(dp1", "(lp1", "}q", "]q", "ccopy_reg\n", "cnumpy", "ctorch", "ccollections\n"]
    return old.contains { head.starts(with: Array($0.utf8)) } ? .pickle : nil
  }

  /// Whether a file begins with the length of a header, and the header with that of an object.
  private static func isSafetensors(_ head: [UInt8]) -> Bool {
    guard head.count > 8, head[8] == UInt8(ascii: "{") else { return false }
    let length = head.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return (2...100_000_000).contains(length)
  }

  /// HDF5's signature may stand behind a block of the user's.
  private static func hdf5(in file: RandomAccessFile) throws -> FileKind? {
    try HDF5Superblock.start(in: file).map { _ in .hdf5 }
  }

  // MARK: Texts

  private static func text(_ head: [UInt8]) -> FileKind? {
    let isPrintable = head.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (9...13).contains($0) || $0 == 0x1b }
    guard isPrintable else { return nil }
    // The end of the head may cut a letter.
    let ends = head.count < headBytes ? 0...0 : 0...3
    let whole = ends.lazy.compactMap { String(validating: head.dropLast($0), as: UTF8.self) }.first
    guard let whole else { return .foreignText }
    let text = whole.drop { $0.isWhitespace || $0 == "\u{feff}" }
    if text.hasPrefix("version https://git-lfs") { return .gitPointer }
    if isWebPage(text) { return .webPage }
    if text.hasPrefix("{") || text.hasPrefix("[") { return json(text) }
    return isMapping(text) ? .yaml : .text
  }

  private static func isWebPage(_ text: Substring) -> Bool {
    let start = text.prefix(64).lowercased()
    return ["<!doctype", "<html", "<head", "<body", "<?xml", "<!--", "<script", "<title", "<error", "<meta"]
      .contains(where: start.hasPrefix)
  }

  private static func json(_ text: Substring) -> FileKind {
    text.hasPrefix("{") && text.contains("\"weight_map\"") ? .safetensorsIndex : .json
  }

  /// Whether the first line that says something is `key:` or `key: value`.
  private static func isMapping(_ text: Substring) -> Bool {
    let lines = text.split(whereSeparator: \.isNewline).lazy.map { $0.drop(while: \.isWhitespace) }
    let first = lines.first { !$0.isEmpty && !$0.hasPrefix("#") && !$0.hasPrefix("---") && !$0.hasPrefix("%") }
    guard let first, let colon = first.firstIndex(of: ":"), colon > first.startIndex else { return false }
    let rest = first[first.index(after: colon)...]
    return (rest.isEmpty || rest.hasPrefix(" ")) && !first[..<colon].contains(" ")
  }
}

extension Collection<UInt8> {
  fileprivate func contains(text: String) -> Bool { firstRange(of: Array(text.utf8)) != nil }
}
