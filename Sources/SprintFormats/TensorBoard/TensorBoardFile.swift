import Foundation

/// An event file for TensorBoard, with curves, pictures and texts. Across the files of a run every step appears once.
package final class TensorBoardFile {
  private let file: RandomAccessFile
  private var end = 0
  private static let prefix = "events.out.tfevents."

  /// Begins a file for a run that continues after `step`, and cuts later steps off the older files in the folder.
  package init(folder: String, after step: Int) throws {
    try AtomicFile.createFolder(folder)
    let older = try FolderListing(folder).names.filter { $0.hasPrefix(Self.prefix) }
    for name in older { try Self.cut("\(folder)/\(name)", after: step) }
    // Readers go through the files in the order of their names.
    let seconds = max(Int(Date().timeIntervalSince1970), (older.last.flatMap(Self.seconds) ?? 0) + 1)
    file = try RandomAccessFile(writing: "\(folder)/\(Self.prefix)\(seconds).\(ProcessInfo.processInfo.hostName)")
    try append(step: 0) { $0.fileVersion = "brain.Event:2" }
    // Tells readers that have already seen later steps to forget them.
    try append(step: step + 1) { $0.sessionLog.status = .start }
  }

  private static func seconds(of name: String) -> Int? {
    name.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) }
  }

  /// Adds a point to each curve.
  package func add(_ scalars: [(tag: String, value: Double)], step: Int) throws {
    try append(step: step) { event in
      event.summary.value = scalars.map { scalar in
        .with {
          $0.tag = scalar.tag
          $0.simpleValue = Float(scalar.value)
        }
      }
    }
  }

  /// Adds a picture: the bytes of a PNG file.
  package func add(image png: Data, width: Int, height: Int, tag: String, step: Int) throws {
    try append(step: step) { event in
      event.summary.value = [
        .with {
          $0.tag = tag
          $0.image.width = Int32(width)
          $0.image.height = Int32(height)
          $0.image.colorspace = 3
          $0.image.encodedImageString = png
        }
      ]
    }
  }

  /// Adds a text in Markdown.
  package func add(text: String, tag: String, step: Int) throws {
    try append(step: step) { event in
      event.summary.value = [
        .with {
          $0.tag = tag
          $0.metadata.pluginData.pluginName = "text"
          $0.tensor.dtype = .dtString
          $0.tensor.tensorShape = .init()
          $0.tensor.stringVal = [Data(text.utf8)]
        }
      ]
    }
  }

  private func append(step: Int, _ fill: (inout Sprint_Tensorboard_Event) -> Void) throws {
    var event = Sprint_Tensorboard_Event()
    event.wallTime = Date().timeIntervalSince1970
    event.step = Int64(step)
    fill(&event)
    let record = EventRecord.framed(try event.serializedData())
    try record.withUnsafeBytes { try file.write($0, at: end) }
    end += record.count
  }

  /// Cuts a file off at the first record that belongs to a later step or is not whole.
  private static func cut(_ path: String, after step: Int) throws {
    let file = try RandomAccessFile(writing: path)
    let size = try file.size
    var place = 0
    while let record = try EventRecord.next(of: file, at: place, size),
      let event = try? Sprint_Tensorboard_Event(serializedBytes: record.contents),
      event.step <= Int64(step) || !event.hasSummary
    {
      place = record.end
    }
    if place < size { try file.resize(to: place) }
  }
}

extension Sprint_Tensorboard_Event {
  fileprivate var hasSummary: Bool {
    if case .summary = what { true } else { false }
  }
}

/// TensorFlow's record format, which frames each event.
/// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
enum EventRecord {
  /// Returns a record: length, its checksum, contents, their checksum.
  static func framed(_ contents: Data) -> Data {
    var record = Data(capacity: contents.count + 16)
    func append(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number.littleEndian) { record.append(contentsOf: $0) }
    }
    append(UInt64(contents.count))
    append(maskedChecksum(record))
    record.append(contents)
    append(maskedChecksum(contents))
    return record
  }

  /// Returns the record at `place`, or nil if none is whole there.
  static func next(of file: RandomAccessFile, at place: Int, _ size: Int) throws -> (contents: Data, end: Int)? {
    guard place + 16 <= size else { return nil }
    var head = Data(count: 12)
    try head.withUnsafeMutableBytes { try file.read(into: $0, at: place) }
    let (length, checksum) = head.withUnsafeBytes {
      (
        UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)),
        UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
      )
    }
    guard checksum == maskedChecksum(head.prefix(8)), length <= UInt64(size - place - 16) else { return nil }
    var contents = Data(count: Int(length) + 4)
    try contents.withUnsafeMutableBytes { try file.read(into: $0, at: place + 12) }
    let found = contents.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    contents.removeLast(4)
    return found == maskedChecksum(contents) ? (contents, place + 16 + Int(length)) : nil
  }

  private static func maskedChecksum(_ data: Data) -> UInt32 {
    let checksum = ~data.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }

  /// The table of CRC-32C (Castagnoli's polynomial), which zlib lacks.
  private static let table = (0..<256 as Range<UInt32>).map { byte in
    (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }
}
