import Foundation
import SprintTestSupport
import Testing

import SprintFormats

@Suite struct PictureReadingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A failed expectation prints what it compares, which would be thousands of numbers.
  private func isSame(_ first: Picture, _ second: Picture) -> Bool {
    first.width == second.width && first.height == second.height && first.pixels == second.pixels
  }

  private static func picture(_ width: Int, _ height: Int) -> Picture {
    var random = Randomness()
    let pixels = random.normal(3 * width * height, deviation: 80).map { UInt8(max(0, min(255, $0 + 128))) }
    return Picture(width: width, height: height, pixels: pixels)
  }

  @Test("A picture that sprint writes is read with the same pixels", arguments: [(1, 1), (37, 23), (1, 300)])
  func roundTrip(width: Int, height: Int) throws {
    let picture = Self.picture(width, height)
    #expect(isSame(try Picture(decoding: picture.png, name: "made"), picture))
    try picture.writePNG(comment: "a comment", to: folder.file("named.jpg"))
    #expect(isSame(try Picture(reading: folder.file("named.jpg")), picture))
  }

  @Test(
    "Odd JPEG and PNG pictures in all orientations are read as Pillow reads them, and broken ones refused",
    .enabled(if: Python.has("PIL", "numpy"), Comment(rawValue: Python.lacks("Pillow"))))
  func asPillow() throws {
    let made = try Python.run(["Tests/Reference/pictures.py", "decoding", folder.file("made")])
    try #require(made.code == 0, "\(made.errors)")
    let names = try FolderListing(folder.file("made/good")).names
    #expect(names.count > 50)
    for name in names {
      for (kind, upright) in [("upright", true), ("stored", false)] {
        let expected = try Picture(reading: folder.file("made/\(kind)/\(name).png"))
        let found = Result { try Picture(reading: folder.file("made/good/\(name)"), upright: upright) }
        guard case .success(let picture) = found else {
          Issue.record("\(name): \(found)")
          continue
        }
        #expect(isSame(picture, expected), "\(name) \(kind)")
      }
    }
    for name in try FolderListing(folder.file("made/broken")).names {
      #expect(throws: FileError.self, "\(name)") { try Picture(reading: folder.file("made/broken/\(name)")) }
    }
  }
}
