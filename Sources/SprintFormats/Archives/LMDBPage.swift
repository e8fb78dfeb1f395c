/// One page of an LMDB file: header, then the offsets of its nodes, then the nodes. Every number is checked before it
/// is used.
struct LMDBPage {
  /// What a page of the tree holds.
  enum Kind { case branch, leaf }

  /// A value in a leaf, or on pages of its own.
  enum Value {
    case inline(ArraySlice<UInt8>)
    case overflow(page: UInt64, size: Int)
  }

  /// Page number, padding, flags, and the ends of the free space.
  static let headerBytes = 16
  /// Two halves of a size or page number, flags, the size of the key.
  private static let nodeBytes = 8

  let bytes: [UInt8]
  let path: String

  static func damaged(_ path: String, _ problem: String) -> FileError {
    .unusable(path: path, problem: "the LMDB database is damaged: \(problem)")
  }

  /// Returns the little-endian number at an offset.
  func number<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as type: Number.Type) throws -> Number {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else { throw outside(offset) }
    return (0..<MemoryLayout<Number>.size).reduce(0) { $0 | Number(bytes[offset + $1]) << (8 * $1) }
  }

  private func slice(_ offset: Int, _ count: Int) throws -> ArraySlice<UInt8> {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { throw outside(offset) }
    return bytes[offset..<offset + count]
  }

  private func outside(_ offset: Int) -> FileError { Self.damaged(path, "it refers to byte \(offset) of a page") }

  private var flags: UInt16 { get throws { try number(10, as: UInt16.self) } }

  /// Throws for pages that no search through a plain tree meets.
  func kind() throws -> Kind {
    switch try flags & 0x7f {
    case 1: return .branch
    case 2: return .leaf
    default: throw Self.damaged(path, "a page has flags \(try flags)")
    }
  }

  /// Whether the page is the first one of a long value.
  func isOverflow() throws -> Bool { try flags & 0x7f == 4 }

  private var nodeCount: Int {
    get throws { max(0, (Int(try number(12, as: UInt16.self)) - Self.headerBytes) / 2) }
  }

  /// The offset of a node in the page.
  private func node(_ index: Int) throws -> Int { Int(try number(Self.headerBytes + 2 * index, as: UInt16.self)) }

  private func key(_ index: Int) throws -> ArraySlice<UInt8> {
    let node = try node(index)
    return try slice(node + Self.nodeBytes, Int(try number(node + 6, as: UInt16.self)))
  }

  /// Returns the first `most` keys of a leaf.
  func keys(_ most: Int) throws -> [[UInt8]] { try (0..<min(most, nodeCount)).map { Array(try key($0)) } }

  /// Returns the page that holds a key if any page does: that of the last node whose key is not above it. The first
  /// node of a branch has no key and counts as below all.
  func child(for key: [UInt8]) throws -> UInt64 {
    var (low, high) = (0, try nodeCount - 1)
    guard high >= 0 else { throw Self.damaged(path, "a branch has no node") }
    while low < high {
      let middle = (low + high + 1) / 2
      if Self.isOrdered(try self.key(middle), key[...]) { low = middle } else { high = middle - 1 }
    }
    let node = try node(low)
    return UInt64(try number(node, as: UInt32.self)) | UInt64(try number(node + 4, as: UInt16.self)) << 32
  }

  /// Returns the value of a key in a leaf, or nil.
  func value(of key: [UInt8]) throws -> Value? {
    var (low, high) = (0, try nodeCount)
    while low < high {
      let middle = (low + high) / 2
      if Self.isOrdered(key[...], try self.key(middle)) { high = middle } else { low = middle + 1 }
    }
    // `low` is the first node whose key is not below the one sought.
    guard low < (try nodeCount), try self.key(low).elementsEqual(key) else { return nil }
    let node = try node(low)
    let size = Int(try number(node, as: UInt32.self))
    let start = node + Self.nodeBytes + key.count
    switch try number(node + 4, as: UInt16.self) {
    case 0: return .inline(try slice(start, size))
    case 1: return .overflow(page: try number(start, as: UInt64.self), size: size)
    case let flags: throw Self.damaged(path, "a value has flags \(flags)")
    }
  }

  /// Whether one key is another one or comes before it: bytes first, then length.
  private static func isOrdered(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> Bool {
    !second.lexicographicallyPrecedes(first)
  }
}

/// What one of the two first pages of an LMDB file says.
struct LMDBMeta {
  let pageSize: Int
  let transaction, lastPage, root: UInt64
  /// The number of keys.
  let entries: UInt64
  /// The flags of the main database.
  let flags: UInt16

  /// Throws unless the page begins a file of version 1.
  init(page: LMDBPage, _ path: String) throws {
    func number<Number: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _ type: Number.Type) throws -> Number {
      try page.number(LMDBPage.headerBytes + offset, as: type)
    }
    let (magic, version) = (try number(0, UInt32.self), try number(4, UInt32.self))
    guard magic == 0xBEEF_C0DE, version == 1 else {
      throw FileError.unusable(path: path, problem: "does not begin like a database of LMDB, version 1")
    }
    // Magic number, version, address and size of the map; then two databases of 48 bytes each, the second the main one.
    let (free, main) = (24, 72)
    pageSize = Int(try number(free, UInt32.self))
    guard (512...65536).contains(pageSize), pageSize.nonzeroBitCount == 1 else {
      throw LMDBPage.damaged(path, "its pages have \(pageSize) bytes")
    }
    (flags, root) = (try number(main + 4, UInt16.self), try number(main + 40, UInt64.self))
    entries = try number(main + 32, UInt64.self)
    (lastPage, transaction) = (try number(main + 48, UInt64.self), try number(main + 56, UInt64.self))
  }
}
