/// The header of an npy file: a Python dictionary with `descr`, `fortran_order` and `shape`.
struct NPYHeader {
  private(set) var element = NumberType.uint8
  private(set) var elementName = ""
  private(set) var shape: [Int] = []
  private(set) var count = 1
  private var scanner: PythonScanner

  /// Whether the elements have their most significant byte first.
  var isBigEndian: Bool { elementName.hasPrefix(">") && element.size > 1 }

  /// Parses a header; `malformed` makes an error of what is wrong with it.
  init(_ bytes: [UInt8], _ malformed: (String) -> FileError) throws {
    scanner = PythonScanner(bytes)
    var known: Set<String> = []
    guard scanner.take("{") else { throw malformed("is no dictionary") }
    while !scanner.take("}") {
      guard let key = scanner.string(), scanner.take(":") else { throw malformed("is no dictionary of texts") }
      guard known.insert(key).inserted else { throw malformed("has `\(key)` twice") }
      try read(key, malformed)
      guard scanner.take(",") || scanner.isNext("}") else { throw malformed("does not end") }
    }
    guard known == ["descr", "fortran_order", "shape"] else {
      throw malformed("has the keys \(known.sorted()), expected descr, fortran_order and shape")
    }
  }

  private mutating func read(_ key: String, _ malformed: (String) -> FileError) throws {
    switch key {
    case "descr": try readElement(malformed)
    case "fortran_order":
      guard scanner.take("False") else {
        throw malformed("says Fortran order, expected C order; save numpy.ascontiguousarray(a)")
      }
    case "shape": try readShape(malformed)
    default: throw malformed("has the unknown key `\(key)`")
    }
  }

  private mutating func readElement(_ malformed: (String) -> FileError) throws {
    guard let text = scanner.string() else { throw malformed("describes no plain type of elements") }
    guard !text.hasSuffix("V2") else { throw malformed("names elements of type \(text): \(Self.bfloat16)") }
    guard let element = NumberType(numpy: text) else {
      let known = NumberType.allCases.compactMap(\.numpy).joined(separator: ", ")
      throw malformed("names elements of type \(text); sprint reads \(known)")
    }
    (self.element, elementName) = (element, text)
  }

  /// numpy has no bfloat16; it saves one as two bytes of no type.
  private static let bfloat16 =
    "bfloat16, as numpy saves it; save float32 with Python: import numpy as np; x = np.load('IN.npy'); "
    + "np.save('OUT.npy', (x.view('<u2').astype('<u4') << 16).view('<f4'))"

  private mutating func readShape(_ malformed: (String) -> FileError) throws {
    guard let extents = scanner.tuple(), extents.count <= 32 else { throw malformed("has no tuple of extents") }
    guard let count = elementCount(of: extents) else { throw malformed("has the impossible shape \(extents)") }
    (shape, self.count) = (extents, count)
  }
}
