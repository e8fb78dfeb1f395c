import Foundation
import SprintFormats
import SprintTraining

extension FileInspection {
  /// A folder that is no run: weights, event files, a source of latents, pictures, or anything else.
  static func folder(_ path: String, _ names: [String], _ importHint: (String) -> String?) throws -> FileInspection {
    let shown = names.filter { !Clutter.isOne($0) }
    guard !shown.isEmpty else {
      return FileInspection(what: "folder without files", notes: aside(names))
    }
    if let weights = try weights(path, shown) { return weights }
    if let events = try events(path, among: shown) { return events }
    if let own = own(path, shown) { return own }
    if let images = try images(path, shown, aside: aside(names)) { return images }
    let runs = shown.filter { FileManager.default.fileExists(atPath: "\(path)/\($0)/metrics.jsonl") }
    let known = runs.isEmpty ? importHint(path) : "\(count(runs.count, "run")): \(listed(runs))"
    let hint = known ?? "nothing in it that sprint knows by its name"
    return FileInspection(
      what: "folder with \(shown.count) \(shown.count == 1 ? "entry" : "entries")", notes: [hint] + aside(names),
      entries: entries(path, shown))
  }

  private static func entries(_ path: String, _ names: [String]) -> [Entry] {
    names.map { Entry(name: FolderListing.isFolder("\(path)/\($0)") ? "\($0)/" : $0) }
  }

  /// A folder of checkpoints, of HDF5 files or of configurations; nil for another.
  private static func own(_ path: String, _ names: [String]) -> FileInspection? {
    let entries = entries(path, names)
    let checkpoints = names.filter(CheckpointStore.isOwnName)
    if let newest = checkpoints.max(by: { ($0.count, $0) < ($1.count, $1) }) {
      return FileInspection(
        what: "folder of \(count(checkpoints.count, "checkpoint")) of a run", notes: ["the newest is \(newest)"],
        entries: entries)
    }
    let files = names.filter { hasEnding($0, ["h5", "hdf5"]) }
    if !files.isEmpty { return hdf5Files(path, files, entries) }
    let configurations = names.filter { hasEnding($0, ["yaml", "yml"]) && isConfiguration("\(path)/\($0)") }
    guard !configurations.isEmpty else { return nil }
    return FileInspection(
      what: "folder with \(count(configurations.count, "configuration")) of sprint: \(listed(configurations))",
      entries: entries)
  }

  /// A folder with HDF5 files: data sets of sprint, or one that may be a source of latents.
  private static func hdf5Files(
    _ path: String, _ files: [String], _ entries: [Entry]
  ) -> FileInspection? {
    func hold(_ items: [String]) -> [String] {
      files.filter { name in
        (try? HDF5File(reading: "\(path)/\(name)")).map { file in items.contains { file.has($0) } } ?? false
      }
    }
    let datasets = hold(["/latents", "/moments"])
    guard datasets.isEmpty else {
      return FileInspection(
        what: "folder of \(count(datasets.count, "data set")) of sprint: \(listed(datasets))", entries: entries)
    }
    let sources = hold(["/dataset.json"])
    guard sources.isEmpty, files.count == entries.count else { return nil }
    return FileInspection(
      what: "folder of \(count(files.count, "HDF5 file")), none a data set of sprint", entries: entries)
  }

  private static func hasEnding(_ name: String, _ endings: [String]) -> Bool {
    endings.contains((name as NSString).pathExtension.lowercased())
  }

  private static func isConfiguration(_ path: String) -> Bool {
    guard let size = try? RandomAccessFile(reading: path).size, size <= largestConfiguration else { return false }
    return (try? ConfigurationDocument(path: path))?.isConfiguration == true
  }

  /// A folder with one file of weights, or with the index of several.
  private static func weights(_ path: String, _ names: [String]) throws -> FileInspection? {
    let indexes = names.filter { $0.hasSuffix(".safetensors.index.json") }
    let files = names.filter { $0.hasSuffix(".safetensors") && SafetensorsIndex.shard($0) == nil }
    let isLatents = files.contains { $0.hasPrefix("latents_") }
    guard let weights = indexes.first ?? files.first, (indexes.isEmpty ? files : indexes).count == 1, !isLatents else {
      return nil
    }
    let inner: FileInspection
    do { inner = try indexes.isEmpty ? tensors("\(path)/\(weights)") : index("\(path)/\(weights)") } catch {
      inner = FileInspection(what: problem(error, of: "\(path)/\(weights)"))
    }
    return FileInspection(
      what: "folder of weights, \(weights): \(inner.what)",
      notes: inner.notes + ["name the folder or the file where weights are expected"],
      entries: names.map { Entry(name: $0) })
  }

  private static func tensors(_ path: String) throws -> FileInspection {
    FileInspection(what: count(try SafetensorsFile(path: path).entries.count, "tensor"))
  }

  /// A folder of event files, with the series of the last one.
  private static func events(_ path: String, among names: [String]) throws -> FileInspection? {
    let files = names.filter { $0.hasPrefix("events.out.tfevents.") }
    guard let last = files.last else { return nil }
    let inner = try events("\(path)/\(last)")
    return FileInspection(
      what: "folder of \(count(files.count, "event file")) of TensorBoard", notes: ["\(last): \(inner.what)"],
      entries: inner.entries)
  }

  // MARK: Pictures

  private static let pictureEndings: Set = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]

  private static func isPicture(_ name: String) -> Bool {
    pictureEndings.contains((name as NSString).pathExtension.lowercased()) && !Clutter.isOne(name)
  }

  /// A folder of pictures, or of one folder of pictures for each class.
  private static func images(_ path: String, _ names: [String], aside: [String]) throws -> FileInspection? {
    let classes = try names.filter { FolderListing.isFolder("\(path)/\($0)") }.map { name in
      (name: name, names: try FolderListing("\(path)/\(name)").names)
    }
    let own = names.filter(isPicture)
    let filled = classes.filter { $0.names.contains(where: isPicture) }
    let pictures = own + filled.flatMap { $0.names.filter(isPicture) }
    // A folder in which other files prevail is no folder of pictures.
    let files = names.filter { !FolderListing.isFolder("\(path)/\($0)") } + filled.flatMap(\.names)
    let others = files.filter { !isPicture($0) && !Clutter.isOne($0) }.count
    guard pictures.count > others, filled.isEmpty || pictures.count > own.count else { return nil }
    let rest = classes.filter { !$0.names.contains(where: isPicture) }.map { "\($0.name)/" }
    let junk = filled.reduce(0) { $0 + $1.names.filter { !isPicture($0) }.count }
    let counts = filled.map { $0.names.filter(isPicture).count }
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let spread = least == most ? "\(most)" : "\(least) to \(most)"
    let sorted =
      filled.isEmpty ? "no folders of classes" : "\(filled.count) folders of classes with \(spread) pictures each"
    return FileInspection(
      what: "folder of \(count(pictures.count, "picture")) (\(endings(pictures))), \(sorted)",
      notes: ["sprint import --from images makes a data set of them"]
        + (rest.isEmpty ? [] : ["folders without pictures, no classes: \(listed(rest))"])
        + (junk > 0 ? ["not counted in the folders of classes: \(count(junk, "other file"))"] : []) + aside,
      entries: Swift.zip(filled, counts).map { Entry(name: $0.name, type: count($1, "picture")) })
  }

  private static func aside(_ names: [String]) -> [String] {
    let junk = names.filter { Clutter.isOne($0) }
    return junk.isEmpty ? [] : ["left aside: \(listed(junk))"]
  }
}
