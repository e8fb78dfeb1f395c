import SprintFormats
import SprintKernels

/// Latents and labels from one or more files, as the model sees them.
package final class LatentDataset: Sendable {
  /// The number of samples.
  package let count: Int
  /// C and S of a latent.
  package let channels, side: Int
  /// What the stored numbers mean; the same in all files.
  package let properties: LatentProperties
  private let files: [LatentFile]
  /// The index of each file's first sample, then the number of samples.
  private let starts: [Int]
  private let flips: Bool

  /// Opens files that belong together.
  ///
  /// - Parameters:
  ///   - paths: at least one file; the samples follow one another in this order
  ///   - flips: whether images are mirrored at random; the files have to hold what the teacher says of mirrored images
  ///   - teacher: what is read of a teacher
  package init(paths: [String], flips: Bool = false, teacher: TeacherNames = TeacherNames()) throws {
    files = try paths.map { try LatentFile(path: $0, teacher, flips: flips) }
    guard let first = files.first else {
      throw FileError.unusable(path: "data set", problem: "names no file, expected at least one")
    }
    for file in files.dropFirst() {
      guard let difference = file.difference(from: first) else { continue }
      throw FileError.unusable(path: file.path, problem: "has \(difference), as in \(first.path)")
    }
    var starts = [0]
    for file in files { starts.append(starts[starts.count - 1] + file.count) }
    self.starts = starts
    count = starts[starts.count - 1]
    (channels, side, properties, self.flips) = (first.channels, first.side, first.properties, flips)
  }

  /// Tokens and width of the teacher's features, if the data set was opened with them.
  package var featureShape: (tokens: Int, width: Int)? { teacher.featureShape }

  /// F of the teacher's class tokens, if the data set was opened with them.
  package var classTokenWidth: Int? { teacher.classTokenWidth }

  /// The extents of the teacher's attention, if the data set was opened with it.
  package var attentionShape: AttentionShape? { teacher.attentionShape }

  private var teacher: StoredTeacher { files[0].teacher(mirrored: false) }

  /// Whether samples are drawn from stored moments.
  package var hasMoments: Bool { files[0].hasMoments }

  /// Whether all files hold latents of the mirrored images too.
  package var hasFlipped: Bool { files.allSatisfy(\.hasFlipped) }

  /// The attribute `source` of the first file: where its latents are from.
  package var source: String { files[0].source }

  /// The data set with the names of the classes, which a file may have.
  package static let classNames = "/class_names"

  /// What the files hold and sprint does not read: attributes, data sets and groups.
  package var unread: [String] { Set(files.flatMap(\.unread)).sorted() }

  /// Elements of one latent.
  package var latentElements: Int { channels * side * side }

  /// The files besides the data set's own in which its numbers lie, by links or external storage.
  package var otherFiles: [String] { get throws { try files.flatMap { try $0.otherFiles } } }

  /// Returns an error about the data set as a whole; it names the first file.
  package func unusable(_ problem: String) -> FileError {
    let others = files.count == 1 ? "" : " and \(files.count - 1) more"
    return .unusable(path: "\(files[0].path)\(others)", problem: problem)
  }

  /// Whether all files have labels.
  package var hasLabels: Bool { files.allSatisfy(\.hasLabels) }

  /// Throws unless the data fits a model: its shape, and labels below `classes`; 0 classes fit any labels, or none.
  package func check(channels: Int, side: Int, classes: Int) throws {
    guard channels == self.channels, side == self.side else {
      throw unusable(
        "latents of \(self.channels) channels and side \(self.side), the model expects \(channels) and \(side)")
    }
    for file in files where classes > 0 {
      guard file.hasLabels else {
        throw FileError.unusable(
          path: file.path,
          problem: "has no /labels, the model has \(classes) classes; for data without classes, set `model.classes: 0`")
      }
      guard let bad = file.labels.firstIndex(where: { $0 >= classes }) else { continue }
      throw FileError.unusable(
        path: file.path,
        problem: "sample \(bad) has label \(file.labels[bad]), the model has \(classes) classes (0 to \(classes - 1))"
          + (file.labels.contains(0) ? "" : "; no label is 0: if they count from 1, store y - 1"))
    }
  }

  /// Returns the class of sample `index`.
  package func label(_ index: Int) -> Int {
    let (file, entry) = place(index)
    return Int(file.labels[entry])
  }

  /// Reads one sample as the model sees it: drawn from its moments if it has them, mirrored at random if the data set
  /// flips, scaled and shifted. The random numbers are those of draw `draw`.
  ///
  /// - Parameter latent: [C · S · S]
  package func latent(_ index: Int, random: LatentRandomness, draw: UInt64, into latent: Vector<Float>) throws {
    precondition(latent.count == latentElements, "room for \(latent.count) of \(latentElements) elements")
    let (file, entry) = place(index)
    let isFlipped = isMirrored(random, draw: draw)
    let stored = latent.count * (file.hasMoments ? 2 : 1)
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: stored) { values in
      try file.read(entry, flipped: isFlipped, into: values)
      if file.hasMoments, let bad = Self.negative(in: values) {
        throw FileError.unusable(path: file.path, problem: "sample \(entry) has \(Self.negativeDeviation(bad))")
      }
      show(values, mirrored: isFlipped && !file.hasFlipped, random, draw, in: latent.buffer)
    }
    if let bad = latent.buffer.first(where: { !$0.isFinite }) {
      throw FileError.unusable(path: file.path, problem: "sample \(entry) holds \(bad), expected finite numbers")
    }
  }

  /// Whether a draw shows the mirrored image of its sample.
  package func isMirrored(_ random: LatentRandomness, draw: UInt64) -> Bool {
    flips && random.flip.uniform(draw: draw) < 0.5
  }

  /// Turns a stored sample into what the model sees; `values` are used up.
  func show(
    _ values: UnsafeMutableBufferPointer<Float>, mirrored: Bool = false, _ random: LatentRandomness, _ draw: UInt64,
    in latent: UnsafeMutableBufferPointer<Float>
  ) {
    if hasMoments { sample(values, random.posterior, draw) }
    if mirrored { mirror(values) }
    scale(values, into: latent)
  }

  /// The first negative number among the deviations of moments, if there is one.
  static func negative(in moments: UnsafeMutableBufferPointer<Float>) -> Float? {
    moments[(moments.count / 2)...].first { $0 < 0 }
  }

  /// What a negative number among deviations means, in words.
  static func negativeDeviation(_ value: Float) -> String {
    "a deviation of \(value), expected none below 0; if these are log-variances, store exp(0.5 * x) in their place"
  }

  /// Elements of a stored sample: C · S · S of latents, twice as many of moments.
  package var storedElements: Int { latentElements * (files[0].hasMoments ? 2 : 1) }

  /// Bytes of all stored samples.
  package var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

  /// Reads sample `index` as it is stored, or its mirrored image: [C or 2C, S, S].
  package func readStored(_ index: Int, flipped: Bool = false, into values: Vector<Float>) throws {
    let (file, entry) = place(index)
    try file.read(entry, flipped: flipped, into: values.buffer)
  }

  /// Reads the teacher's features of sample `index`, or of its mirrored image: [tokens · F].
  package func features(_ index: Int, mirrored: Bool = false, into features: Vector<Float>) throws {
    let (file, entry) = place(index)
    try file.teacher(mirrored: mirrored).readFeatures(entry, into: features.buffer)
  }

  /// Reads the teacher's class token of sample `index`, or of its mirrored image: [F].
  package func classToken(_ index: Int, mirrored: Bool = false, into token: Vector<Float>) throws {
    let (file, entry) = place(index)
    try file.teacher(mirrored: mirrored).readClassToken(entry, into: token.buffer)
  }

  /// Reads what `request` asks for of the teacher's attention of sample `index`, or of its mirrored image.
  ///
  /// - Parameters:
  ///   - draw: whose kept tokens are meant
  ///   - target: [request.layout.count]
  ///   - scratch: [attentionShape.count]
  package func attention(
    _ index: Int, mirrored: Bool = false, _ request: AttentionRequest, draw: UInt64, into target: Vector<Float>,
    scratch: Vector<Float>
  ) throws {
    let (file, entry) = place(index)
    try file.teacher(mirrored: mirrored).readAttention(entry, request, draw: draw, into: target, scratch: scratch)
  }

  /// Draws a latent from moments: mean + std · ε, in the place of the mean.
  private func sample(_ moments: UnsafeMutableBufferPointer<Float>, _ random: Philox, _ draw: UInt64) {
    let half = moments.count / 2
    withUnsafeTemporaryAllocation(of: Float.self, capacity: half) { noise in
      random.fillNormal(noise, draw: draw)
      for i in 0..<half { moments[i] += moments[half + i] * noise[i] }
    }
  }

  private func scale(_ values: UnsafeMutableBufferPointer<Float>, into latent: UnsafeMutableBufferPointer<Float>) {
    let plane = side * side
    for channel in 0..<channels {
      let (scale, shift) = (properties.scale[channel], properties.shift[channel])
      for i in channel * plane..<(channel + 1) * plane { latent[i] = values[i] * scale + shift }
    }
  }

  private func mirror(_ values: UnsafeMutableBufferPointer<Float>) {
    for row in 0..<channels * side {
      values[row * side..<(row + 1) * side].reverse()
    }
  }

  /// Returns the file of a sample, and its index there.
  private func place(_ index: Int) -> (LatentFile, Int) {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    var (low, high) = (0, files.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= index { low = middle } else { high = middle - 1 }
    }
    return (files[low], index - starts[low])
  }
}
