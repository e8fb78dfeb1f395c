import Foundation
import SprintData
import SprintFormats
import SprintKernels

/// A folder of numbered pictures, `000000.png` and so on, with their classes in `dataset.json`. It gets its name once
/// all of them are there; until then it is `FOLDER.partial`.
struct SampleFolder: Sendable {
  private let path: String

  init(_ path: String) { self.path = path }

  private var partial: String { "\(path).partial" }

  /// Throws unless a new folder can be put at the path. Pictures of earlier samples must not mix with others.
  func check() throws {
    if let names = try FolderListing.names(in: path), !names.isEmpty {
      throw FileError.unusable(
        path: path, problem: "already holds `\(names[0])`\(names.count > 1 ? " and \(names.count - 1) more" : "")",
        remedy: SampleRemedy.nameAnotherFolder)
    }
    try AtomicFile.checkWritable(partial + ".test")
  }

  /// Removes the pictures of an interrupted output.
  func removePartial() { try? FileManager.default.removeItem(atPath: partial) }

  /// Writes all pictures that are not there yet, and their classes.
  ///
  /// - Parameter progress: called with the number of finished pictures; what it throws ends the work
  func write(
    _ spool: SampleSpool, _ labels: [Int], _ rendering: SampleRendering, _ origin: String, _ workers: Workers,
    _ progress: (Int) throws -> Void
  ) throws {
    try AtomicFile.createFolder(partial)
    let names = labels.indices.map { Self.name($0, of: labels.count) }
    try removeOthers(than: Set(names))
    // A group of pictures at a time, each of them by one worker.
    let (group, side, channels) = (16 * workers.count, rendering.side, rendering.channels)
    for first in stride(from: 0, to: labels.count, by: group) {
      try progress(first)
      let failure = FirstFailure()
      workers.run(tasks: min(group, labels.count - first)) { _, task in
        let image = first + task
        do { try write(spool, image, names[image], side, channels, origin) } catch { failure.note(image, error) }
      }
      try failure.rethrow()
    }
    try AtomicFile.write(Self.table(names, labels, origin), to: "\(partial)/dataset.json")
    try AtomicFile.putFolder(partial, at: path)
  }

  /// Removes what interrupted work left besides finished pictures, and pictures of a larger count.
  private func removeOthers(than names: Set<String>) throws {
    for name in try FolderListing.names(in: partial) ?? [] where !names.contains(name) { unlink("\(partial)/\(name)") }
  }

  private func write(
    _ spool: SampleSpool, _ image: Int, _ name: String, _ side: Int, _ channels: Int, _ origin: String
  ) throws {
    let target = "\(partial)/\(name)"
    guard !FileManager.default.fileExists(atPath: target) else { return }
    let record = try spool.record(image)
    let png = try PNGWriter.data(width: side, height: side, channels: channels, comment: origin) {
      try $0.write(record)
    }
    // Without waiting for the disk, which would take longer than the pictures; `putFolder` waits for all of them.
    let temporary = "\(target).part"
    let file = try RandomAccessFile(writing: temporary)
    try file.resize(to: 0)
    try png.withUnsafeBytes { try file.write($0, at: 0) }
    guard rename(temporary, target) == 0 else { throw FileError.last(target, "put the picture in its place") }
  }

  private static func name(_ image: Int, of count: Int) -> String {
    let digits = String(image)
    return String(repeating: "0", count: max(6, String(count - 1).count) - digits.count) + digits + ".png"
  }

  /// `{"labels": [["000000.png", 3], ...], "source": "..."}`, as EDM's data sets and `sprint import` have it.
  private static func table(_ names: [String], _ labels: [Int], _ origin: String) throws -> Data {
    let entries = zip(names, labels).map { "[\"\($0)\", \($1)]" }.joined(separator: ",\n")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    let source = String(decoding: try encoder.encode(origin), as: UTF8.self)
    return Data("{\"source\": \(source),\n\"labels\": [\n\(entries)\n]}\n".utf8)
  }
}
