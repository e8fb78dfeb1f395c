import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Whole numbers of every type, as numpy and safetensors write them.
@Suite(.enabled(if: Python.has("numpy", "safetensors"), Comment(rawValue: Python.lacks("numpy, safetensors"))))
struct NumberTypeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ expression: String, _ type: String, to name: String) throws {
    let script = """
      import numpy as np, sys; from safetensors.numpy import save_file
      x = np.array(\(expression)).astype('\(type)'); np.save(sys.argv[1] + '.npy', x)
      if x.dtype.isnative: save_file({'x': x}, sys.argv[1] + '.safetensors')
      """
    let made = try Python.run(["-c", script, folder.file(name)])
    try #require(made.code == 0, "\(made.errors)")
  }

  @Test(
    "Numbers of every type and order of bytes are read as they are",
    arguments: [
      ("u1", "[0, 200]"), ("i1", "[-128, 127]"), ("<u2", "[0, 65535]"), (">u2", "[1, 65535]"), ("<i2", "[-32768, 3]"),
      (">i2", "[-2, 300]"), ("<u4", "[0, 2**32 - 1]"), (">u4", "[7, 2**31]"), ("<i4", "[-2**31, 9]"),
      (">i4", "[-2, 70000]"), ("<u8", "[0, 2**62]"), (">u8", "[3, 2**40]"), ("<i8", "[-2**62, 1]"),
      (">i8", "[-5, 2**40]"), ("?", "[0, 1]"), ("<f2", "[-3, 512]"), (">f2", "[2, 7]"), ("<f4", "[-3, 2**20]"),
      (">f4", "[1, 2**20]"), ("<f8", "[-3, 2**40]"), (">f8", "[5, 2**40]"),
    ])
  func numbers(type: String, expression: String) throws {
    try write(expression, type, to: "a")
    let written = try Python.run(["-c", "print(*\(expression))"]).output
    let right = written.split(separator: " ").compactMap { Int64($0.filter { !$0.isWhitespace }) }
    #expect(right.count == 2)
    let array = try NPYArray(path: folder.file("a.npy"))
    #expect(try array.integers() == right)
    #expect(array.doubles() == right.map(Double.init))
    guard FileManager.default.fileExists(atPath: folder.file("a.safetensors")) else { return }
    let tensors = try SafetensorsFile(path: folder.file("a.safetensors"))
    #expect(try tensors.wholeNumbers("x") == right)
    #expect(try tensors.doubles("x") == right.map(Double.init))
  }

  @Test(
    "A number that is not whole, or too large, is named with its place",
    arguments: [
      ("<f4", "[1, 2.5]", "number 1 is 2.5"), (">f8", "[0.25, 1]", "number 0 is 0.25"),
      ("<f2", "[1, float('nan')]", "number 1 is nan"), ("<f8", "[1, 1e30]", "number 1 is 1e+30"),
      ("<u8", "np.array([1, 2**64 - 1], np.uint64)", "number 1 is 18446744073709551615"),
    ])
  func fractions(type: String, expression: String, problem: String) throws {
    try write(expression, type, to: "a")
    #expect { try NPYArray(path: folder.file("a.npy")).integers() } throws: { "\($0)".contains(problem) }
  }
}
