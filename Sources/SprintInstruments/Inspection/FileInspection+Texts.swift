import Foundation
import SprintFormats
import SprintTraining

extension FileInspection {
  /// A text: a configuration, a log, JSON, or any other.
  static func text(_ path: String, _ kind: FileKind) throws -> FileInspection {
    if let log = try log(path) { return log }
    let isNamed = ["yaml", "yml"].contains((path as NSString).pathExtension.lowercased())
    let file = try RandomAccessFile(reading: path)
    let document = Result { try file.size > largestConfiguration ? nil : ConfigurationDocument(path: path) }
    if (try? document.get())?.isConfiguration == true { return configuration(path) }
    if kind == .json { return try json(file) }
    if isNamed, case .failure(let error) = document {
      return FileInspection(what: "a YAML text that is not valid", notes: [problem(error, of: path)])
    }
    let bytes = try file.bytes(at: 0, count: min(try file.size, 4096))
    let first = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
    return FileInspection(
      what: "\(kind.rawValue) of \(size(try file.size))",
      notes: (isNamed ? ["no configuration of sprint: it has neither `model` nor `stages`"] : [])
        + ["begins with: \(first.prefix(100))"])
  }

  // MARK: Configurations

  static let largestConfiguration = 1 << 20

  private static func configuration(_ path: String) -> FileInspection {
    do {
      let configuration = try Configuration(ConfigurationDocument(path: path))
      return FileInspection(what: "configuration, valid", notes: summary(configuration))
    } catch {
      return FileInspection(what: "configuration, not valid", notes: [problem(error, of: path)])
    }
  }

  /// The network, the data and the stages.
  static func summary(_ configuration: Configuration) -> [String] {
    let model = configuration.model
    return [
      "width \(model.width), \(model.heads) heads, \(model.encoderDepth) + \(model.middleDepth) + "
        + "\(model.decoderDepth) blocks, patch \(model.patch)",
      "latents of \(model.channels) x \(model.side) x \(model.side), \(model.classes) classes",
      "trains on \(listed(configuration.data.train, most: 3))",
    ]
      + configuration.stages.prefix(8).map {
        "stage `\($0.name)`: \($0.steps) steps of \($0.batch) images, learning rate \($0.learningRate)"
      }
  }

  // MARK: Logs

  /// The log of a run; nil for another file.
  private static func log(_ path: String) throws -> FileInspection? {
    guard let log = try LogInspection(path: path) else { return nil }
    return FileInspection(what: "log of a run, \(log.steps) steps", notes: log.notes)
  }

  // MARK: JSON and others

  private static func json(_ file: RandomAccessFile) throws -> FileInspection {
    let bytes = try file.size
    guard bytes <= largestJSON else { return FileInspection(what: "JSON of \(size(bytes)), too large to look at") }
    switch try? JSONSerialization.jsonObject(with: try file.contents()) {
    case let table as [String: Any]:
      return FileInspection(
        what: "JSON object with \(count(table.count, "key"))",
        notes: table["labels"] is [Any] ? ["`labels` may be the classes of a source for `sprint import`"] : [],
        entries: table.keys.sorted().map { Entry(name: $0, type: jsonType(table[$0])) })
    case let list as [Any]: return FileInspection(what: "JSON list of \(count(list.count, "value"))")
    default: return try lines(file)
    }
  }

  private static let largestJSON = 64 << 20

  private static func jsonType(_ value: Any?) -> String {
    switch value {
    case let list as [Any]: "list of \(list.count)"
    case let table as [String: Any]: "object with \(count(table.count, "key"))"
    case is String: "text"
    case is NSNumber: "number"
    default: "null"
    }
  }

  /// A file with one JSON object a line, or a damaged one.
  private static func lines(_ file: RandomAccessFile) throws -> FileInspection {
    var (lines, whole) = (0, 0)
    try file.forEachLine { line in
      guard !line.isBlank else { return }
      lines += 1
      if (try? JSONSerialization.jsonObject(with: Data(line.bytes))) != nil { whole += 1 }
    }
    guard whole > 0, whole == lines else {
      throw FileError.unusable(path: file.path, problem: "begins like JSON, but is not valid JSON")
    }
    return FileInspection(what: "JSON, one value on each of \(lines) lines")
  }

  /// A Git LFS pointer, with the size of the file that it stands for.
  static func gitPointer(_ path: String) throws -> FileInspection {
    let text = String(decoding: try RandomAccessFile(reading: path).contents().prefix(1024), as: UTF8.self)
    let bytes = text.split(separator: "\n").first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
    let found = try other(path, .gitPointer)
    return FileInspection(
      what: found.what, notes: (bytes.map { ["it stands for a file of \(size($0))"] } ?? []) + found.notes)
  }

  /// The empty files and the page of a run's folder, and files of the kernel; nil for another file.
  private static func own(_ path: String, _ kind: FileKind) throws -> FileInspection? {
    let name = (path as NSString).lastPathComponent
    if kind == .empty, ["/proc/", "/sys/"].contains(where: path.hasPrefix) {
      return FileInspection(what: "a file of the kernel, which has no size")
    }
    if kind == .empty, name == "lock" {
      return FileInspection(what: "lock of a run, empty: the process that trains holds it")
    }
    if kind == .empty, name.hasSuffix(".not-finite") {
      return FileInspection(what: "mark beside a checkpoint, empty: a number of the steps after it is not finite")
    }
    guard kind == .webPage else { return nil }
    let file = try RandomAccessFile(reading: path)
    let bytes = try file.size
    let head = String(decoding: try file.bytes(at: 0, count: min(bytes, 4096)), as: UTF8.self)
    return head.contains("<style>\(ReportStyle.css.prefix(60))")
      ? FileInspection(what: "report of sprint, \(size(bytes))") : nil
  }

  /// A file of which nothing more than its kind is known.
  static func other(_ path: String, _ kind: FileKind) throws -> FileInspection {
    if let own = try own(path, kind) { return own }
    let file = try RandomAccessFile(reading: path)
    let bytes = try file.size
    let head = try file.bytes(at: 0, count: min(bytes, 16)).map { String(format: "%02x", $0) }.joined(separator: " ")
    let start = kind == .unknown ? ["begins with the bytes \(head)"] : []
    return FileInspection(
      what: kind == .empty ? kind.rawValue : "\(kind.rawValue), \(size(bytes))",
      notes: start + (kind.remedy.map { [$0] } ?? []))
  }
}
