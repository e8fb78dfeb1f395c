import Foundation
import SprintFormats
import SprintTestSupport
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

  /// Takes 5 GB of disk and half a minute.
  private static let writesLargeFiles = ProcessInfo.processInfo.environment["SPRINT_LARGE_FILES"] != nil

  @Test("An array beyond 4 GiB gets zip64's headers, and numpy reads it", .enabled(if: writesLargeFiles))
  func zip64() throws {
    let folder = try TemporaryFolder()
    let (rows, row) = (4_400, 1_000_000)
    let large = NPYArray.Output("arr_0", .uint8, shape: [rows, row]) { target, offset in
      for i in target.indices { target[i] = UInt8(truncatingIfNeeded: (offset + i) / row) }
    }
    let labels = NPYArray.Output("arr_1", .int64, shape: [rows], (0..<rows).map { Int64($0) })
    try NPYArray.writeNPZ([large, labels], comment: "large", to: folder.file("a.npz"))
    let python = try Python.run([
      "-c",
      """
      import numpy as np, zipfile
      a = np.load('\(folder.file("a.npz"))')
      x, y = a['arr_0'], a['arr_1']
      assert x.shape == (\(rows), \(row)) and (x[:, ::9999] == (y % 256)[:, None]).all() and y[-1] == \(rows - 1)
      assert zipfile.ZipFile('\(folder.file("a.npz"))').getinfo('arr_0.npy').file_size > 1 << 32
      """,
    ])
    #expect(python.code == 0, "\(python.errors)")
  }
}
