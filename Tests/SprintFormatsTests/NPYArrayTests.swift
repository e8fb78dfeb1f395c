import Foundation
import SprintFormats
import Testing

@Suite struct NPYArrayTests {
  private func file(_ header: String, version: UInt8 = 1, body: Int) -> Data {
    var data = Data([0x93] + Array("NUMPY".utf8) + [version, 0])
    let length = header.utf8.count
    data.append(contentsOf: [UInt8(length & 255), UInt8(length >> 8)] + (version > 1 ? [0, 0] : []))
    data.append(contentsOf: header.utf8)
    data.append(Data(count: body))
    return data
  }

  private func header(_ type: String = "<f4", fortran: String = "False", shape: String = "(2, 3)") -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }\n"
  }

  @Test("All three versions are read, and numbers, vectors and tensors of several types")
  func reading() throws {
    for version in [1, 2, 3] as [UInt8] {
      let array = try NPYArray(file(header(), version: version, body: 24), name: "a")
      #expect(array.shape == [2, 3] && array.element == .float32)
    }
    #expect(try NPYArray(file(header(shape: "()"), body: 4), name: "a").count == 1)
    #expect(try NPYArray(file(header("<i8", shape: "(3,)"), body: 24), name: "a").integers() == [0, 0, 0])
    #expect(try NPYArray(file(header("|u1", shape: "(2L, 2L)"), body: 4), name: "a").integers().count == 4)
    #expect(try NPYArray(file(header(shape: "(0, 5)"), body: 0), name: "a").count == 0)
  }

  @Test(
    "A malformed or unsupported array is refused with one line that names the file",
    arguments: [
      ("{'descr': '|V2', 'fortran_order': False, 'shape': (2,), }\n", 4, "bfloat16"),
      ("{'descr': '|V4', 'fortran_order': False, 'shape': (2,), }\n", 8, "type |V4"),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n", 8, "Fortran"),
      ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n", 8, "<c8"),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }\n", 8, "plain type"),
      ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, "twice"),
      ("{'descr': '<f4', 'fortran_order': False}\n", 8, "keys"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2), }\n", 8, "tuple"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 999999999999), }\n", 8, "impossible"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 999999999999, 999999999999), }\n", 0, "impossible"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 8, "truncated"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", 8, "8 bytes"),
      ("nonsense\n", 8, "dictionary"), ("", 0, "dictionary"), ("{'descr': '<f4'", 0, "end"),
    ])
  func refusals(header: String, body: Int, message: String) {
    #expect { try NPYArray(file(header, body: body), name: "there/a.npy") } throws: {
      "\($0)".contains(message) && "\($0)".hasPrefix("there/a.npy: ") && !"\($0)".contains("\n")
    }
  }

  @Test("A file cut off anywhere is refused")
  func truncation() {
    let whole = file(header(), body: 24)
    for count in 0..<whole.count {
      #expect(throws: FileError.self) { try NPYArray(whole.prefix(count), name: "a") }
    }
  }

  @Test("Whole numbers are not read as latents")
  func kinds() throws {
    let whole = try NPYArray(file(header("<i8", shape: "(1,)"), body: 8), name: "a")
    var value: Float = 0
    #expect(throws: FileError.self) {
      try withUnsafeMutablePointer(to: &value) { try whole.floats(into: .init(start: $0, count: 1)) }
    }
  }
}
