import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct HDF5Tests {
  @Test("Numbers, texts and shapes are read back as written, with and without checksums", arguments: [true, false])
  func roundTrip(checked: Bool) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let values = (0..<24).map { Float($0) * 0.5 - 3 }
    do {
      let file = try HDF5File(creating: path)
      try file.createGroup("adam/m")
      try values.withUnsafeBufferPointer { try file.write("/adam/m/w", shape: [2, 3, 4], $0, checked: checked) }
      try file.write("/labels", shape: [3], [3, 1, 2])
      try file.write(attribute: "text", "seed: 1\n# größer")
      try file.write(attribute: "numbers", [0.5, -2])
      try file.write(attribute: "step", 12)
      try file.close()
    }
    let file = try HDF5File(reading: path)
    var read = [Float](repeating: 0, count: 24)
    try read.withUnsafeMutableBufferPointer { try file.floats("/adam/m/w", into: $0) }
    #expect(read == values)
    #expect(try file.integers("/labels") == [3, 1, 2])
    #expect(
      try file.text("text") == "seed: 1\n# größer" && file.numbers("numbers") == [0.5, -2]
        && file.numbers("step") == [12])
    #expect(try file.text("absent") == nil && file.names(in: "/adam") == ["m"] && !file.has("/adam/v/w"))
    let description = try file.describe("/adam/m/w")
    #expect(description.shape == [2, 3, 4] && (description.offset == nil) == checked)
    var entry = [Float](repeating: 0, count: 12)
    try entry.withUnsafeMutableBufferPointer { try file.floats("/adam/m/w", entry: 1, into: $0) }
    #expect(entry == Array(values[12...]))
  }

  @Test("A missing, truncated or foreign file is an error that names it")
  func badFiles() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("b.h5")
    #expect { try HDF5File(reading: path) } throws: { "\($0)".hasSuffix("cannot open: No such file or directory") }
    #expect { try HDF5File(reading: folder.path) } throws: { "\($0)".hasSuffix("Is a directory") }
    do { try HDF5File(creating: path).write("/labels", shape: [1000], [Int64](repeating: 1, count: 1000)) }
    let whole = try #require(FileManager.default.contents(atPath: path))
    try whole.dropLast(1).write(to: URL(fileURLWithPath: path))
    #expect { try HDF5File(reading: path) } throws: { "\($0)".contains(path) }
    try Data("no HDF5".utf8).write(to: URL(fileURLWithPath: path))
    #expect { try HDF5File(reading: path) } throws: { "\($0)".contains("a text, expected an HDF5 file") }
    for (name, reason) in [("no/such/folder.h5", "No such file or directory"), ("b.h5", "File exists")] {
      #expect { try HDF5File(creating: folder.file(name)) } throws: { "\($0)".hasSuffix("cannot create: \(reason)") }
    }
    #expect(FileManager.default.contents(atPath: path) == Data("no HDF5".utf8))
  }

  @Test(
    "The library reads our pieces with their checksums, and finds a flipped bit as our reader does")
  func checkedPieces() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("c.h5")
    var random = Randomness("pieces")
    // Two pieces and a part; a row of zeros, whose sums are zero, and a row of ones in every bit.
    var values = random.normal(2500 * 1000)
    values.replaceSubrange(0..<1000, with: repeatElement(0, count: 1000))
    values.replaceSubrange(1000..<2000, with: repeatElement(Float(bitPattern: 0xFFFF_FFFF), count: 1000))
    do {
      let file = try HDF5File(creating: path)
      for (name, rows) in [("/w", 2500), ("/zero", 1), ("/odd", 3)] {
        try values[..<(rows * 1000)].withUnsafeBufferPointer {
          try file.write(name, shape: [rows, 1000], $0, checked: true)
        }
      }
    }
    /// Reads one row through the library's own pipeline.
    func row(_ name: String, _ index: Int) throws -> [Float] {
      var row = [Float](repeating: 0, count: 1000)
      let file = try HDF5File(reading: path)
      try row.withUnsafeMutableBufferPointer { try file.floats(name, entry: index, into: $0) }
      return row
    }
    func all() throws -> [Float] {
      var all = [Float](repeating: 0, count: values.count)
      let file = try HDF5File(reading: path)
      try all.withUnsafeMutableBufferPointer { try file.floats("/w", into: $0) }
      return all
    }
    func bits(_ values: some Collection<Float>) -> [UInt32] { values.map(\.bitPattern) }
    #expect(try bits(all()) == bits(values))
    for (name, index) in [("/w", 0), ("/w", 1), ("/w", 900), ("/w", 2499), ("/zero", 0), ("/odd", 2)] {
      #expect(try bits(row(name, index)) == bits(values[index * 1000..<(index + 1) * 1000]), "\(name) \(index)")
    }
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    let bytes = values[1_200_000..<1_200_016].withUnsafeBytes { Data($0) }
    let place = try #require(data.range(of: bytes)).lowerBound
    data[place] ^= 4
    try data.write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try row("/w", 1200) }
    #expect { try all() } throws: { "\($0)".contains("a checksum is wrong") }
  }
}
