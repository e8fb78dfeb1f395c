import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Files whose names say nothing about them, or something else.
@Suite struct FileKindTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ bytes: [UInt8], _ name: String = "file") throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: folder.file(name)))
    return folder.file(name)
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// The beginning of a zip archive with a first entry of this name.
  private static func zip(_ name: String) -> [UInt8] {
    [0x50, 0x4b, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0] + text(name)
  }

  private static let hdf5 = [0x89] + text("HDF\r\n\u{1a}\n")
  private static let zeros = [UInt8](repeating: 0, count: 512)

  private static let files: [(kind: FileKind, bytes: [UInt8])] = [
    (.hdf5, hdf5 + zeros), (.hdf5, zeros + hdf5 + zeros), (.hdf5, text("MATLAB 7.3") + zeros + zeros[..<502] + hdf5),
    (.safetensors, [2, 0, 0, 0, 0, 0, 0, 0] + text("{}")), (.safetensors, [0, 1, 0, 0, 0, 0, 0, 0] + text("{\"a\"")),
    (.npy, [0x93] + text("NUMPY") + [1, 0]), (.npz, zip("arr_0.npy")), (.npz, zip("mean.npy")),
    (.zip, zip("vae-sd/00000/img-mean-std-00000000.npy")), (.zip, [0x50, 0x4b, 5, 6] + zeros),
    (.torch, zip("archive/data.pkl")), (.torch, zip("0400000/data.pkl")),
    (.torch, [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
    (.pickle, [0x80, 4, 0x95]), (.pickle, [0x80, 5, 0x95]), (.pickle, text("(dp0\nVmean\n")),
    (.lmdb, zeros[..<16] + [0xde, 0xc0, 0xef, 0xbe, 1, 0, 0, 0]), (.png, [0x89] + text("PNG\r\n\u{1a}\n")),
    (.jpeg, [0xff, 0xd8, 0xff, 0xe0]), (.jpeg, [0xff, 0xd8, 0xff, 0xdb]), (.otherPicture, text("GIF89a")),
    (.events, [24, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4] + text("\t....\u{1a}\u{d}brain.Event:2")),
    (.safetensorsIndex, text("{\"metadata\": {}, \"weight_map\": {}}")),
    (.safetensorsIndex, text("\u{feff}\n{\"weight_map\": {\"a\": \"b\"}}")), (.json, text("{\"labels\": null}")),
    (.json, text("[1]")), (.yaml, text("# c\n---\nmodel:\n  width: 3\n")), (.yaml, text("seed: 3")),
    (.text, text("Hello there: words before a colon")),
    (.text, text("not: nested here".replacing(":", with: ""))),
    (.gitPointer, text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n")),
    (.gitPointer, text("version https://git-lfs.github.com/spec/v1\next-0-foo sha256:1\n")),
    (.webPage, text("<!DOCTYPE html><html>")), (.webPage, text("\n  <HTML lang=en>")),
    (.webPage, text("<?xml version=\"1.0\"?><Error>")), (.gzip, [0x1f, 0x8b, 8]), (.packed, text("BZh9")),
    (.tar, zeros[..<257] + text("ustar") + zeros), (.appleDouble, [0, 5, 0x16, 7, 0, 2]),
    (.foreignText, [0xff, 0xfe, 65]),
    (.foreignText, text("Gr") + [0xf6, 0x0a]), (.zeros, zeros), (.empty, []), (.unknown, [1, 2, 3, 200]),
  ]

  @Test("A file is recognised by its content", arguments: files)
  func kinds(_ file: (kind: FileKind, bytes: [UInt8])) throws {
    #expect(try FileKind(path: write(file.bytes)) == file.kind)
  }

  @Test("A long text whose head ends inside a letter is a text")
  func cutLetter() throws {
    for shift in 0..<4 {
      let text = String(repeating: "a", count: shift) + String(repeating: "\u{1f600}", count: 20_000)
      #expect(try FileKind(path: write(Self.text(text))) == .text)
    }
  }

  @Test("A pipe is refused without waiting for its other end, and so are folders and devices")
  func noFiles() throws {
    mkfifo(folder.file("pipe"), 0o644)
    for (path, name) in [(folder.file("pipe"), "a pipe"), (folder.path, "a folder"), ("/dev/null", "a device")] {
      #expect { try FileKind(path: path) } throws: { "\($0)".contains(name) }
    }
  }

  @Test(
    "Readers say what a file is instead of what they expect, and what to do",
    arguments: [
      ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 523\n", "git lfs pull"),
      ("<!doctype html>\n<html><body>Log in</body></html>", "login"), ("{\"weight_map\": {}}", "shards"),
      ("", "empty file"),
    ])
  func readers(content: String, part: String) throws {
    let path = try write(Self.text(content))
    let readers: [(String) throws -> Any] = [
      { try SafetensorsFile(path: $0) }, { try NPYArray(path: $0) }, { try ZipArchive(reading: $0) },
      { try HDF5File(reading: $0) },
    ]
    for read in readers {
      #expect { _ = try read(path) } throws: { "\($0)".contains(part) && "\($0)".contains(path) }
    }
  }

  @Test("A damaged file of the right kind keeps the message of its reader")
  func damaged() throws {
    let cut = try write([0x93] + Self.text("NUMPY") + [1, 0, 200, 0])
    #expect { try NPYArray(path: cut) } throws: { "\($0)".contains("truncated") }
    #expect { try HDF5File(reading: write(Self.hdf5 + Self.zeros)) } throws: { "\($0)".contains("header is damaged") }
  }

  @Test("All bytes of a file are read, however few they are", arguments: [1, 7, 14, 15, 16, 100])
  func fewBytes(count: Int) throws {
    let bytes = (0..<count).map { UInt8($0) }
    let path = try write(bytes)
    for _ in 0..<100 { #expect(try Array(RandomAccessFile(reading: path).contents()) == bytes) }
  }
}
