import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Data sets of other writers: how they are packed, and what they claim.
@Suite(.enabled(if: Python.has("numpy", "h5py"), Comment(rawValue: Python.lacks("numpy and h5py"))))
struct HDF5StorageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs Python with `f` as a new HDF5 file.
  private func make(_ script: String) throws -> HDF5File {
    let path = folder.file("a.h5")
    try? FileManager.default.removeItem(atPath: path)
    let made = try Python.run([
      "-c", "import h5py, numpy as np, zlib\nf = h5py.File('\(path)', 'w')\n\(script)\nf.close()",
    ])
    try #require(made.code == 0, "\(made.errors)")
    return try HDF5File(reading: path)
  }

  private func floats(_ file: HDF5File, _ name: String, entry: Int? = nil, count: Int) throws -> [Float] {
    var values = [Float](repeating: -1, count: count)
    try values.withUnsafeMutableBufferPointer {
      if let entry { try file.floats(name, entry: entry, into: $0) } else { try file.floats(name, into: $0) }
    }
    return values
  }

  @Test(
    "Every element of a data set in pieces is read where it belongs, whatever the pieces, filters and number types",
    arguments: ["<f2", ">f4", "<f4", "<f8", "i1", ">u2", "<i4", "<i8"])
  func pieces(type: String) throws {
    // Pieces that do not divide the extents, and packed ones of an odd number of bytes.
    let script = """
      a = (np.arange(5 * 4 * 3 * 7) % 100).astype('\(type)').reshape(5, 4, 3, 7)
      for i, c in enumerate([(1, 4, 3, 7), (2, 4, 3, 7), (3, 3, 2, 5), (5, 1, 3, 7), (1, 1, 1, 1), (4, 4, 2, 7)]):
          for j, o in enumerate([{}, dict(compression='gzip'), dict(shuffle=True), dict(fletcher32=True),
                                 dict(compression='gzip', shuffle=True, fletcher32=True)]):
              f.create_dataset('%d-%d' % (i, j), data=a, chunks=c, **o)
      """
    let file = try make(script)
    let expected = (0..<420).map { Float($0 % 100) }
    for name in try file.names(in: "/") {
      #expect(try floats(file, "/\(name)", count: 420) == expected, "\(name)")
      #expect(try file.integers("/\(name)") == expected.map { Int64($0) }, "\(name)")
      for entry in [4, 0, 3] {
        let range = entry * 84..<(entry + 1) * 84
        #expect(try floats(file, "/\(name)", entry: entry, count: 84) == Array(expected[range]), "\(name)")
      }
    }
  }

  @Test(
    "A piece that unpacks to less or more than its size, or that nobody wrote, is an error",
    arguments: [
      "d.id.write_direct_chunk((0, 0), zlib.compress(b'1234'))",
      "d.id.write_direct_chunk((0, 0), zlib.compress(b'1234' * 17))",
      "d.id.write_direct_chunk((0, 0), zlib.compress(b'1234' * 16)[:-5])",
      "d.id.write_direct_chunk((0, 0), b'1234' * 15, 1)", "d.id.write_direct_chunk((0, 0), b'1234' * 17, 1)", "",
    ])
  func unpacking(write: String) throws {
    let file = try make("d = f.create_dataset('d', (4, 8), '<f4', chunks=(2, 8), compression=1)\nd[2:] = 3\n\(write)")
    #expect(throws: FileError.self) { try floats(file, "/d", count: 32) }
    #expect(throws: FileError.self) { try floats(file, "/d", entry: 1, count: 8) }
    #expect(throws: FileError.self) { try file.integers("/d") }
    #expect(try floats(file, "/d", entry: 3, count: 8) == [Float](repeating: 3, count: 8))
  }

  @Test("A piece whose writer skipped a filter is read")
  func skippedFilters() throws {
    let file = try make(
      """
      d = f.create_dataset('d', (2, 2), '<f4', chunks=(1, 2), compression=1, shuffle=True)
      d.id.write_direct_chunk((0, 0), np.array([1, 2], '<f4').tobytes(), 3)
      d.id.write_direct_chunk((1, 0), zlib.compress(np.array([3, 4], '<f4').tobytes()), 1)
      """)
    #expect(try floats(file, "/d", count: 4) == [1, 2, 3, 4])
  }

  @Test(
    "What sprint cannot read safely is refused with the reason, before memory is taken",
    arguments: [
      ("f.create_dataset('d', data=np.ones((4, 8), 'f4'), compression='lzf')", "filter 32000, LZF"),
      ("f.create_dataset('d', data=np.ones((4, 8), 'f4'), scaleoffset=3)", "h5repack"),
      ("f.create_dataset('d', (1 << 30, 1 << 12), 'f4')", "somebody wrote"),
      ("f.create_dataset('d', (4, 1 << 40), 'f4', chunks=(1, 64))", "one piece"),
      ("f.create_dataset('d', (4, 1 << 29), 'f4', chunks=(1, 1 << 29))", "one piece"),
      ("f.create_dataset('d', data=np.ones((4, 8), 'c8'))", "records of 2 fields"),
      ("f.create_dataset('d', data=np.ones((4, 8), 'f4'), dtype=h5py.h5t.IEEE_F32LE)", ""),
      ("v = h5py.VirtualLayout((4, 8), 'f4'); f.create_virtual_dataset('d', v)", "view"),
    ])
  func refusals(script: String, reason: String) throws {
    let file = try make(script)
    func read() throws {
      _ = try file.describe("/d")
      _ = try floats(file, "/d", entry: 0, count: 8)
    }
    if reason.isEmpty { return try read() }
    #expect { try read() } throws: { "\($0)".contains(reason) && !"\($0)".contains("\n") }
  }

  /// If this fails, a damaged header ends the process: the library divides by the extents of pieces. It is the only
  /// harm that four zeros do, wherever they stand.
  @Test("Pieces with fewer extents than the data set are refused, as a contiguous set whose class was changed has them")
  func missingExtents() throws {
    let path = try make("f.create_dataset('d', data=np.ones(4, 'f4'))").path
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let layout = try #require(
      (0..<bytes.count - 8).first { bytes[$0] == 8 && bytes[$0 + 2] == 24 && bytes[$0 + 8] == 3 })
    bytes[layout + 9] = 2
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect { try HDF5File(reading: path).describe("/d") } throws: { "\($0)".contains("impossible extents") }
  }

  @Test(
    "Zeros anywhere in a file of pieces are an error or read as numbers, in old and new formats of headers",
    arguments: ["earliest", "v108", "latest"])
  func zeros(version: String) throws {
    let path = folder.file("z.h5")
    let made = try Python.run([
      "-c",
      """
      import h5py, numpy as np
      with h5py.File('\(path)', 'w', libver='\(version)', track_order=True) as f:
          d = f.create_dataset('d', data=np.ones((4, 8), 'f4'), chunks=(2, 3), track_times=True)
          for i in range(9): d.attrs['attribute %d' % i] = i
      """,
    ])
    try #require(made.code == 0, "\(made.errors)")
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(try floats(HDF5File(reading: path), "/d", count: 32) == [Float](repeating: 1, count: 32))
    var refused = 0
    for place in 0..<good.count - 4 {
      var bytes = good
      bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
      try bytes.write(to: URL(fileURLWithPath: path))
      do { _ = try floats(HDF5File(reading: path), "/d", count: 32) } catch {
        if "\(error)".contains("impossible extents") { refused += 1 }
      }
    }
    // The checksums of later headers let no zero through to the library.
    #expect(version != "earliest" || refused > 0)
  }

  @Test("Numbers of an odd form are not read as if they were plain ones")
  func oddNumbers() throws {
    let file = try make(
      """
      t = h5py.h5t.IEEE_F32LE.copy(); t.set_fields(15, 7, 8, 0, 7); t.set_size(2); t.set_ebias(127)
      h5py.h5d.create(f.id, b'bf16', t, h5py.h5s.create_simple((2, 2))).write(
          h5py.h5s.ALL, h5py.h5s.ALL, np.array([[1, -2.5], [0, 0.15625]], 'f4'), h5py.h5t.NATIVE_FLOAT)
      f['whole'] = np.array([1.0, 2.0]); f['half'] = np.array([1.0, 2.5]); f['large'] = np.array([2**63], 'u8')
      f['truth'] = np.array([True, False])
      """)
    #expect(try file.describe("/bf16").type == "bfloat16" && floats(file, "/bf16", count: 4) == [1, -2.5, 0, 0.15625])
    #expect(try file.integers("/whole") == [1, 2] && file.integers("/truth") == [1, 0])
    #expect(throws: FileError.self) { try file.integers("/half") }
    #expect(throws: FileError.self) { try file.integers("/large") }
  }

  @Test("Texts of variable length are read, and one that is not where the file says is an error")
  func texts() throws {
    let script = """
      f.attrs['kind'] = 'größer'; f.attrs['empty'] = ''; f.attrs['fixed'] = np.bytes_('fixed')
      f['text'] = 'x' * 5000; f['bytes'] = np.frombuffer(b'bytes', 'u1')
      d = f.create_dataset('packed', (1,), h5py.string_dtype(), chunks=(1,), compression=1); d[0] = 'packed'
      for i in range(300): f.attrs['many%d' % i] = 'number %d' % i
      """
    let file = try make(script)
    #expect(try file.text("kind") == "größer" && file.text("empty") == "" && file.text("fixed") == "fixed")
    #expect(try file.text(dataset: "/text") == String(repeating: "x", count: 5000))
    #expect(try file.text(dataset: "/bytes") == "bytes" && file.text(dataset: "/packed") == "packed")
    for i in [0, 150, 299] { #expect(try file.text("many\(i)") == "number \(i)") }
    // The reference in the header of `text`: length, heap, number.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.h5")))
    let length = withUnsafeBytes(of: UInt32(5000).littleEndian) { Data($0) }
    let places = (0..<bytes.count - 20).filter { place in
      bytes[place..<place + 4] == length && bytes[place + 4..<place + 12].contains { $0 != 0 }
    }
    for (offset, value) in [(3, UInt8(1)), (1, 0x20), (4, 1), (9, 1), (12, 99), (15, 1)] {
      for place in places { bytes[place + offset] ^= value }
      let path = folder.file("b.h5")
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(throws: FileError.self, "byte \(offset)") { try HDF5File(reading: path).text(dataset: "/text") }
      for place in places { bytes[place + offset] ^= value }
    }
  }

  @Test("A file whose data sets have to lie in it takes nothing from others, not even by a link to a link")
  func otherFiles() throws {
    let script = """
      o = '\(folder.file("other.h5"))'
      with h5py.File(o, 'w') as h: h['d'] = np.ones((4, 8), 'f4')
      f['link'] = h5py.ExternalLink(o, '/d')
      f['root'] = h5py.ExternalLink(o, '/'); f['soft'] = h5py.SoftLink('/root/d')
      f.create_dataset('storage', (4, 8), 'f4', external=[(o, 0, 128)]); f['own'] = np.ones((4, 8), 'f4')
      """
    let file = try make(script)
    for name in ["/link", "/soft", "/storage"] {
      #expect { try file.describe(name) } throws: { "\($0)".contains("in another file") }
    }
    let following = try HDF5File(reading: folder.file("a.h5"), followsOtherFiles: true)
    for name in ["/link", "/soft", "/storage"] {
      #expect(try following.otherFiles(of: name) == [folder.file("other.h5")], "\(name)")
      #expect(try floats(following, name, count: 32).count == 32)
    }
    #expect(try following.otherFiles(of: "/own").isEmpty)
  }

  @Test("A file that is missing in which a data set's elements lie is named; the data set is not called damaged")
  func missingStorage() throws {
    let (there, gone) = (folder.file("there.bin"), folder.file("gone.bin"))
    try Data(count: 64).write(to: URL(fileURLWithPath: there))
    _ = try make(
      "f.create_dataset('a', (4, 8), 'f4', external=[('\(there)', 0, 64), ('\(gone)', 0, 64)])\n"
        + "f.create_dataset('b', (4,), 'i8', external=[('\(gone)', 0, 32)])")
    let file = try HDF5File(reading: folder.file("a.h5"), followsOtherFiles: true)
    for name in ["/a", "/b"] {
      #expect { try file.describe(name) } throws: { "\($0)".contains("`\(gone)`, which is missing") }
    }
    try Data(count: 64).write(to: URL(fileURLWithPath: gone))
    #expect(try floats(file, "/a", count: 32) == [Float](repeating: 0, count: 32))
  }

  @Test("Links lead to their data set from file to file, and one that leads nowhere or in a circle is an error")
  func links() throws {
    let script = """
      import os
      os.makedirs('\(folder.file("below/deeper"))')
      with h5py.File('\(folder.file("below/deeper/last.h5"))', 'w') as h: h['g/d'] = np.full((4, 8), 5, 'f4')
      with h5py.File('\(folder.file("below/middle.h5"))', 'w') as h:
        h['x'] = h5py.ExternalLink('deeper/last.h5', '/g'); h['g/soft'] = h5py.SoftLink('/x/d')
        h['back'] = h5py.ExternalLink('../a.h5', '/circle')
      f['far'] = h5py.ExternalLink('below/middle.h5', '/g/soft')
      f['moved'] = h5py.ExternalLink('/nowhere/beside.h5', '/d')
      with h5py.File('\(folder.file("beside.h5"))', 'w') as h: h['d'] = np.full((4, 8), 6, 'f4')
      f['circle'] = h5py.ExternalLink('below/middle.h5', '/back'); f['self'] = h5py.SoftLink('self')
      f['lost'] = h5py.ExternalLink('none.h5', '/d'); f['gone'] = h5py.ExternalLink('beside.h5', '/none')
      f['g/relative'] = h5py.SoftLink('../far'); f['g/own'] = h5py.SoftLink('d'); f['g/d'] = np.full((4, 8), 3, 'f4')
      """
    _ = try make(script)
    let file = try HDF5File(reading: folder.file("a.h5"), followsOtherFiles: true)
    for (name, value, place) in [("/far", Float(5), "below/deeper/last.h5"), ("/moved", 6, "beside.h5")] {
      #expect(try floats(file, name, count: 32) == Array(repeating: value, count: 32))
      #expect(try file.otherFiles(of: name) == [folder.file(place)])
    }
    #expect(try floats(file, "/g/own", count: 32) == Array(repeating: 3, count: 32))
    for (name, problem) in [
      ("/circle", "more than 16 links"), ("/self", "more than 16 links"), ("/lost", "none.h5"),
      ("/gone", "`/none` is missing, though `/gone` of"),
      ("/g/relative", "missing"),
    ] {
      #expect("\(name)") { try file.describe(name) } throws: { "\($0)".contains(problem) }
    }
  }

  @Test("A data set behind a link whose header would end the library's process is an error")
  func headerBehindLink() throws {
    let script = """
      o = '\(folder.file("other.h5"))'
      with h5py.File(o, 'w') as h: h.create_dataset('d', (4, 8), 'f4', chunks=(2, 8))
      f['link'] = h5py.ExternalLink(o, '/d'); f['root'] = h5py.ExternalLink(o, '/')
      f['soft'] = h5py.SoftLink('/root/d')
      b = bytearray(open(o, 'rb').read())
      at = b.index(bytes([2, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0])); b[at] = 0
      open(o, 'wb').write(b)
      """
    _ = try make(script)
    let file = try HDF5File(reading: folder.file("a.h5"), followsOtherFiles: true)
    for name in ["/link", "/soft"] {
      #expect { try file.describe(name) } throws: { "\($0)".contains("impossible extents") }
    }
  }

  @Test(
    "A file that cannot be opened is told what it is: newer, cut, damaged or none of HDF5",
    arguments: [
      ("libver='earliest'", "b[8] = 9", "a newer HDF5 library wrote it (format 9, expected at most 3)"),
      ("libver='latest'", "b[8] = 4", "a newer HDF5 library wrote it (format 4, expected at most 3)"),
      ("libver='earliest'", "del b[len(b) // 2:]", "it is truncated: "),
      ("libver='latest', userblock_size=1024", "del b[len(b) // 2:]", "it is truncated: "),
      ("libver='latest'", "b[20] ^= 1", "its header is damaged"),
      ("libver='latest'", "b[:4] = b'text'", "no HDF5 file"),
    ])
  func unopened(options: String, damage: String, words: String) throws {
    let path = folder.file("b.h5")
    let made = try Python.run([
      "-c",
      """
      import h5py, numpy as np
      with h5py.File('\(path)', 'w', \(options)) as f: f['d'] = np.zeros(1000)
      b = bytearray(open('\(path)', 'rb').read())
      \(damage)
      open('\(path)', 'wb').write(b)
      """,
    ])
    try #require(made.code == 0, "\(made.errors)")
    #expect { try HDF5File(reading: path) } throws: { "\($0)".contains(words) }
  }

  @Test(
    "A filter that sprint does not have is named, and h5repack as told makes the data set readable",
    arguments: [("scaleoffset=2", "filter 6, scale-offset"), ("compression='szip'", "filter 4, SZIP")])
  func filters(option: String, words: String) throws {
    let file = try make("f.create_dataset('d', data=np.arange(96).reshape(12, 8).astype('f4'), \(option))")
    #expect { try floats(file, "/d", count: 96) } throws: {
      "\($0)".contains("packed with HDF5's \(words)") && "\($0)".contains("h5repack -f GZIP=1 IN OUT")
    }
    guard
      let repack = ["/usr/bin/h5repack", "/usr/local/bin/h5repack"].first(where: FileManager.default.isExecutableFile)
    else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: repack)
    process.arguments = ["-f", "GZIP=1", folder.file("a.h5"), folder.file("repacked.h5")]
    try process.run()
    process.waitUntilExit()
    let repacked = try HDF5File(reading: folder.file("repacked.h5"))
    #expect(try floats(repacked, "/d", count: 96) == (0..<96).map { Float($0) })
  }
}
