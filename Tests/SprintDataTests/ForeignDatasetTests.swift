import Foundation
import SprintData
import SprintFormats
import SprintTestSupport
import Testing

/// Data sets as other programs write them.
@Suite(.enabled(if: Python.has("numpy", "h5py"), Comment(rawValue: Python.lacks("numpy and h5py"))))
struct ForeignDatasetTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("a.h5") }

  init() throws { folder = try TemporaryFolder() }

  /// Runs Python with `f` as a new HDF5 file, `x` [12, 3, 4, 4] of deviation about 1 and `y` its 12 labels, 0 to 3.
  private func make(_ script: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    let start = """
      import h5py, numpy as np, os
      os.chdir('\(folder.path)')
      x = np.random.default_rng(0).normal(size=(12, 3, 4, 4)).astype('f4'); y = np.arange(12) % 4
      """
    let made = try Python.run(["-c", "\(start)\nf = h5py.File('a.h5', 'w')\n\(script)\nf.close()"])
    try #require(made.code == 0, "\(made.errors)")
  }

  private func latents() throws -> [[Float]] {
    let dataset = try LatentDataset(paths: [path])
    return try (0..<dataset.count).map { index in
      let memory = TestMatrix(1, dataset.latentElements)
      try dataset.latent(index, random: LatentRandomness(seed: 1), draw: 0, into: memory.vector)
      return memory.vector.array
    }
  }

  private func labels() throws -> [Int] {
    let dataset = try LatentDataset(paths: [path])
    return (0..<dataset.count).map(dataset.label)
  }

  private func expectRefusal(_ words: String..., comment: String) {
    #expect("\(comment)") { _ = try latents() } throws: { error in
      let text = "\(error)"
      return words.allSatisfy(text.contains) && !text.contains("\n")
    }
  }

  @Test(
    "Numbers of every float type are read as what they are, contiguous or in pieces",
    arguments: ["f2", "f4", "f8", ">f4", "bfloat16"], ["", ", chunks=(5, 3, 2, 4), compression='gzip'"])
  func floats(type: String, pieces: String) throws {
    // Numbers that bfloat16 holds exactly.
    try make(
      """
      x = np.round(x * 16) / 16; x = (x.view('u4') & 0xffff0000).view('f4')
      if '\(type)' == 'bfloat16':
          t = h5py.h5t.IEEE_F32LE.copy(); t.set_fields(15, 7, 8, 0, 7); t.set_size(2); t.set_ebias(127)
          d = f.create_dataset('latents', x.shape, h5py.Datatype(t)\(pieces))
          d.id.write(h5py.h5s.ALL, h5py.h5s.ALL, x, h5py.h5t.NATIVE_FLOAT)
      else:
          x = x.astype('f2').astype('f4'); f.create_dataset('latents', data=x.astype('\(type)')\(pieces))
      f['labels'] = y; np.save('x.npy', x)
      """)
    let stored = try NPYArray(path: folder.file("x.npy"))
    var expected = [Float](repeating: 0, count: stored.count)
    try expected.withUnsafeMutableBufferPointer { try stored.floats(into: $0) }
    #expect(try latents().flatMap(\.self) == expected)
  }

  @Test(
    "Other types are refused by their names",
    arguments: [
      ("np.zeros((12, 3, 4, 4), 'i1')", "of int8"), ("x.astype('c8')", "of records of 2 fields"),
      ("np.full(12, b'a')", "of texts"), ("x.astype('f2').view('V2')", "of opaque elements of 2 bytes"),
    ])
  func otherTypes(values: String, words: String) throws {
    try make("f['latents'] = \(values); f['labels'] = y")
    expectRefusal(words, "expected float16, bfloat16, float32 or float64", comment: values)
  }

  @Test(
    "scale, shift, kind and vae count on the data set as in the file; where both have one, they have to agree",
    arguments: ["latents", "moments"])
  func attributesOfDataset(name: String) throws {
    let values = name == "moments" ? "np.concatenate([x, 0 * x], 1)" : "x"
    try make(
      """
      d = f.create_dataset('\(name)', data=\(values)); f['labels'] = y
      d.attrs['scale'] = 0.5; d.attrs['shift'] = [1.0, 2.0, 3.0]; d.attrs['vae'] = 'own'; f.attrs['scale'] = 0.5
      """)
    let properties = try LatentDataset(paths: [path]).properties
    #expect(properties.scale == [0.5, 0.5, 0.5] && properties.shift == [1, 2, 3] && properties.vae == "own")
    try make("f['\(name)'] = \(values); f['labels'] = y; f['\(name)'].attrs['scale'] = 2; f.attrs['scale'] = 1")
    expectRefusal("the attribute `scale` of the file differs from that of `/\(name)`; remove one", comment: name)
    try make("f['\(name)'] = \(values); f['labels'] = y; f.attrs['scale'] = 1")
    _ = try latents()
  }

  @Test("An attribute that sprint does not read is named where the numbers are odd", arguments: ["f", "f['latents']"])
  func otherAttributes(owner: String) throws {
    try make("f['latents'] = 5 * x; f['labels'] = y; \(owner).attrs['scaling_factor'] = 0.2")
    let dataset = try LatentDataset(paths: [path])
    #expect(dataset.unread == ["scaling_factor"])
    let warnings = try DatasetSurvey(dataset, most: 12).warnings
    #expect(warnings.count == 1 && warnings[0].contains("does not read scaling_factor"), "\(warnings)")
  }

  @Test("Latents of one channel need no extent for it", arguments: ["x[:, 0]", "x[:, :1]"])
  func oneChannel(values: String) throws {
    try make("f['latents'] = \(values); f['labels'] = y")
    let dataset = try LatentDataset(paths: [path])
    #expect(dataset.channels == 1 && dataset.side == 4 && dataset.count == 12)
    #expect(try DatasetSurvey(dataset, most: 12).warnings.isEmpty)
  }

  @Test("Channels that come last are refused, and transposing as told mends them", arguments: [3, 1])
  func channelsLast(channels: Int) throws {
    try make("f['latents'] = x[:, :\(channels)].transpose(0, 2, 3, 1); f['labels'] = y")
    expectRefusal("store x.transpose(0, 3, 1, 2)", comment: "\(channels)")
    try make(
      """
      x = x[:, :\(channels)].transpose(0, 2, 3, 1)
      f['latents'] = x.transpose(0, 3, 1, 2); f['labels'] = y
      """)
    #expect(try latents().count == 12)
  }

  @Test(
    "Labels of every type of whole numbers are read, also in a column",
    arguments: [
      "y.astype('u1')", "y.astype('>i4')", "y[:, None]", "y.astype('f4')", "y.astype('f2')", "y.astype('u8')",
    ])
  func wholeLabels(labels: String) throws {
    try make("f['latents'] = x; f['labels'] = \(labels)")
    #expect(try self.labels() == (0..<12).map { $0 % 4 })
  }

  @Test("Truth values are classes 0 and 1")
  func truthLabels() throws {
    try make("f['latents'] = x; f['labels'] = y > 1")
    #expect(try labels() == (0..<12).map { $0 % 4 > 1 ? 1 : 0 })
  }

  @Test(
    "Labels that are no classes are refused with what to do, and that mends them",
    arguments: [
      ("y + 0.75", "`/labels` is 0.75 at 0, expected whole", "y"), ("np.where(y == 2, np.nan, y)", "nan at 2", "y"),
      ("np.array(['a', 'b', 'c', 'd'])[y].astype('S')", "of texts, expected whole numbers", "y"),
      ("np.array(['tench', 'shark'], h5py.string_dtype())[y % 2]", "of texts, expected whole numbers", "y"),
      (
        "np.eye(4)[y]", "shape [12, 4], expected [12]; if its rows are one-hot, store y.argmax(1)",
        "np.eye(4)[y].argmax(1)"
      ),
      ("np.eye(5, dtype='u1')[y]", "store y.argmax(1)", "np.eye(5)[y].argmax(1)"),
      (
        "0 * y - 1", "sample 0 has label -1, expected 0 to 2147483647; for data without classes, leave /labels out",
        "0 * y"
      ),
      ("y[:11]", "/labels has shape [11], expected [12]", "y"),
    ])
  func oddLabels(labels: String, words: String, mended: String) throws {
    try make("f['latents'] = x; f['labels'] = \(labels)")
    expectRefusal(words, comment: labels)
    try make("f['latents'] = x; f['labels'] = \(mended)")
    #expect(try self.labels() == (0..<12).map { mended == "0 * y" ? 0 : $0 % 4 })
  }

  @Test("Data without labels fit a network without classes alone, and so do data with labels")
  func unlabelled() throws {
    try make("f['latents'] = x")
    let unlabelled = try LatentDataset(paths: [path])
    try unlabelled.check(channels: 3, side: 4, classes: 0)
    #expect { try unlabelled.check(channels: 3, side: 4, classes: 4) } throws: {
      "\($0)".contains("has no /labels, the model has 4 classes") && "\($0)".contains("`model.classes: 0`")
    }
    try make("f['latents'] = x; f['labels'] = y")
    try LatentDataset(paths: [path]).check(channels: 3, side: 4, classes: 0)
  }

  @Test("A group, a dangling link and a file without latents are named as what they are")
  func objects() throws {
    for (script, words) in [
      ("f['latents/train'] = x; f['latents/val'] = x", "`/latents` is a group (train, val), expected a data set"),
      ("f.create_group('moments')", "`/moments` is a group (empty), expected a data set"),
      ("f['latents'] = h5py.SoftLink('/gone')", "`/gone` is missing, though `/latents` of"),
      ("f['latents'] = np.dtype('f4')", "`/latents` is no data set"),
      ("f['images'] = x", "holds /images, /labels, expected /latents [N, C, S, S] or /moments"),
    ] {
      try make("\(script); f['labels'] = y")
      expectRefusal(words, comment: script)
    }
  }

  /// Runs the command that the refusal of the file names.
  private func copyAsTold() throws {
    var message = ""
    do { _ = try LatentDataset(paths: [path]) } catch { message = "\(error)" }
    let command = "python3" + message.split(separator: "python3").dropFirst().joined(separator: "python3")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command.replacing("python3", with: Python.path)]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(command)")
  }

  @Test("LZF, which only h5py has, is named with a command that copies the file, features and attributes too")
  func lzf() throws {
    try make(
      """
      f.create_dataset('latents', data=x, compression='lzf').attrs['scale'] = 0.5; f['labels'] = y
      f['features/dino'] = np.ones((12, 4, 2), 'f4'); f.attrs['vae'] = 'own'
      """)
    expectRefusal("filter 32000, LZF", "python3 -c", comment: "lzf")
    try copyAsTold()
    let copy = try LatentDataset(paths: [folder.file("a-copy.h5")], teacher: TeacherNames(features: "dino"))
    #expect(copy.count == 12 && copy.properties.scale == [0.5, 0.5, 0.5] && copy.properties.vae == "own")
  }

  @Test("An attribute that hides those behind it is an error, not a missing scale")
  func hiddenAttributes() throws {
    // Complex numbers of HDF5 2.0; older versions of h5py write records, which hide nothing.
    try make(
      """
      f.close(); f = h5py.File('a.h5', 'w', libver='latest')
      f['latents'] = x; f['labels'] = y; f.attrs['note'] = np.zeros(2, 'c8'); f.attrs['scale'] = 0.66
      """)
    do {
      let scale = try LatentDataset(paths: [path]).properties.scale
      #expect(scale == [0.66, 0.66, 0.66])
    } catch {
      #expect("\(error)".contains("the file has an attribute that HDF5 1.10 cannot read"))
    }
  }

  @Test(
    "Nobody reads a scale in an odd place, and inspect says so",
    arguments: ["f['scale'] = 0.2", "f['labels'].attrs['scale'] = 0.2"])
  func unread(script: String) throws {
    try make("f['latents'] = 5 * x; f['labels'] = y; \(script)")
    let dataset = try LatentDataset(paths: [path])
    #expect(dataset.unread == [script.hasPrefix("f['scale']") ? "/scale" : "scale of /labels"])
  }

  @Test("Another kind than latents or pixels is refused", arguments: ["pixel", "PIXELS", ""])
  func kinds(kind: String) throws {
    try make("f['latents'] = x; f['labels'] = y; f.attrs['kind'] = '\(kind)'")
    expectRefusal("`kind` is `\(kind)`, expected `latents` or `pixels`", comment: kind)
  }

  @Test("A view of other files is refused with their names, and naming them as told reads them")
  func views() throws {
    let script = """
      for i in range(2):
          with h5py.File(f'part{i}.h5', 'w') as g: g['latents'] = x[6 * i:6 * i + 6]; g['labels'] = y[6 * i:6 * i + 6]
      v = h5py.VirtualLayout(x.shape, 'f4')
      for i in range(2): v[6 * i:6 * i + 6] = h5py.VirtualSource(f'part{i}.h5', 'latents', (6, 3, 4, 4))
      f.create_virtual_dataset('latents', v); f['labels'] = y
      """
    try make(script)
    expectRefusal("a view of data sets in `part0.h5`, `part1.h5`, expected", "name the files", comment: "whole")
    let parts = [folder.file("part0.h5"), folder.file("part1.h5")]
    #expect(try LatentDataset(paths: parts).count == 12)
    try copyAsTold()
    #expect(try LatentDataset(paths: [folder.file("a-copy.h5")]).count == 12)
    try make("\(script)\nos.remove('part1.h5')")
    expectRefusal("`part0.h5`, `part1.h5` (missing)", comment: "one is gone")
  }

  @Test("Files whose numbers differ in meaning are no data set; the message names both values")
  func unlike() throws {
    try make(
      """
      with h5py.File('b.h5', 'w') as g: g['latents'] = x; g['labels'] = y; g.attrs['scale'] = 0.5
      with h5py.File('c.h5', 'w') as g: g['moments'] = np.concatenate([x, x * x], 1); g['labels'] = y
      f['latents'] = x; f['labels'] = y
      """)
    for (name, words) in [
      ("b.h5", "has `scale` 0.5 instead of 1.0 in channel 0, as in \(path)"),
      ("c.h5", "has moments instead of latents, as in \(path)"),
    ] {
      #expect("\(name)") { try LatentDataset(paths: [path, folder.file(name)]) } throws: { "\($0)".contains(words) }
    }
  }
}
