import SprintFormats

/// One side of an evaluation: images, statistics of images, or both, as ADM's reference files hold them.
struct EvaluatedSet {
  let path: String
  let images: (any ImageSet)?
  /// The statistics, where they are of the network.
  let statistics: FeatureStatistics?
  /// Lines for the user.
  private(set) var notes: [String] = []

  /// Opens a folder, an npz file or a data set, and checks that the network can rate it.
  init(_ path: String, _ network: EvaluationNetwork, _ folders: FolderOptions) throws {
    self.path = path
    if FolderListing.isFolder(path) {
      let folder = try ImageFolder(path: path, folders)
      (images, statistics) = (folder, nil)
      notes += [folder.note.map { "\(path): \($0)" }].compactMap(\.self)
    } else {
      try Pickle.refuse(path)
      let kind = try FileKind(path: path)
      switch kind {
      case .hdf5: (images, statistics) = (try ImageDataset(path: path), nil)
      case .npz: (images, statistics) = try Self.open(ZipArchive(reading: path), network, &notes)
      default: throw Self.unknown(path, kind)
      }
    }
    if let images { try Self.check(images, network) }
  }

  private static func unknown(_ path: String, _ kind: FileKind) -> FileError {
    let remedy = kind.remedy.map { "; \($0)" } ?? ""
    return .unusable(
      path: path,
      problem: "\(kind.rawValue), expected a folder of pictures, an .npz with arr_0 or with mu and sigma, or an .h5 of "
        + "pixels\(remedy)")
  }

  private static func open(
    _ archive: ZipArchive, _ network: EvaluationNetwork, _ notes: inout [String]
  ) throws -> ((any ImageSet)?, FeatureStatistics?) {
    let hasImages = archive.has("\(ImageArray.name).npy")
    guard FeatureStatistics.areIn(archive) else {
      guard hasImages else { throw lacking(archive) }
      return (try ImageArray(archive), nil)
    }
    let statistics = try FeatureStatistics(archive)
    let images = hasImages ? try ImageArray(archive) : nil
    guard let reason = mismatch(statistics, network) else { return (images, statistics) }
    guard images != nil else {
      throw FileError.unusable(path: archive.path, problem: reason, remedy: EvaluationRemedy.saveStatistics)
    }
    notes.append("\(archive.path): \(reason); its images are used")
    return (images, nil)
  }

  private static func lacking(_ archive: ZipArchive) -> FileError {
    let names = archive.names.prefix(8).map { $0.hasSuffix(".npy") ? String($0.dropLast(4)) : $0 }
    return .unusable(
      path: archive.path,
      problem: "holds \(names.isEmpty ? "nothing" : names.joined(separator: ", ")), expected arr_0 (images, uint8 "
        + "[n, H, W, 3]) or mu and sigma (statistics)")
  }

  /// Why statistics are not of the network; nil if they are. Files that do not say are of Inception.
  private static func mismatch(_ statistics: FeatureStatistics, _ network: EvaluationNetwork) -> String? {
    let own = FeatureStatistics.Source.describe(network.name, network.fingerprint)
    guard let source = statistics.source else {
      return network.isInception ? nil : "its statistics name no network, so they are of Inception, not of \(own)"
    }
    return source.isOther(than: network) ? "its statistics are of \(source.networkName), not of \(own)" : nil
  }

  private static func check(_ images: any ImageSet, _ network: EvaluationNetwork) throws {
    guard images.count > 1 else {
      throw FileError.unusable(path: images.path, problem: "holds one image, expected at least two")
    }
    try network.check(images)
  }

  /// The number of images behind the statistics; nil where nobody says.
  var count: Int? { statistics.map { $0.source?.images } ?? images?.count }

  /// C x H x W of its images; nil where nobody says.
  var extents: String? { images?.extents.description ?? statistics?.source?.extents }

  /// Whether it is a folder of pictures.
  var isFolder: Bool { images is ImageFolder }

  /// How its images were made, as its file says.
  var origin: String { images?.origin ?? statistics?.source?.origin ?? "" }
}
