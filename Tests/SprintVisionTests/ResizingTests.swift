import Foundation
import SprintFormats
import SprintTestSupport
import Testing

import SprintVision

@Suite struct ResizingTests {
  @Test(
    "Crops and resized pictures have the bytes of Pillow, also of 30 megapixels",
    .enabled(if: Python.has("PIL", "numpy"), Comment(rawValue: Python.lacks("Pillow"))))
  func asPillow() throws {
    let folder = try TemporaryFolder()
    let made = try Python.run(["Tests/Reference/pictures.py", "resizing", folder.file("made")])
    try #require(made.code == 0, "\(made.errors)")
    for (kind, least) in [("crops", 31), ("bicubic", 50)] {
      let names = try FolderListing(folder.file("made/\(kind)")).names
      #expect(names.count >= least)
      for name in names {
        let expected = try Picture(reading: folder.file("made/\(kind)/\(name)"))
        let source = name.prefix { $0 != "@" }
        let picture = try Picture(reading: folder.file("made/pictures/\(source).png"))
        let found =
          kind == "crops"
          ? picture.centreCrop(side: expected.width)
          : picture.resizedBicubic(width: expected.width, height: expected.height)
        // A failed expectation prints what it compares, which are megabytes here.
        let isSame = found.width == expected.width && found.pixels == expected.pixels
        #expect(isSame, "\(kind) \(name)")
      }
    }
  }

  @Test("A long thin picture is cropped without the memory for all of it, and keeps its colour")
  func thin() {
    let crop = Picture(width: 1, height: 100_000, fill: 200).centreCrop(side: 256)
    let isPlain = crop.pixels.allSatisfy { $0 == 200 }
    #expect(crop.width == 256 && crop.height == 256 && isPlain)
  }

  @Test("TensorFlow 1's bilinear resizing follows its formula", arguments: [(7, 5, 12), (300, 200, 299), (1, 1, 3)])
  func bilinear(width: Int, height: Int, side: Int) {
    var random = Randomness()
    let bytes = random.normal(3 * width * height, deviation: 80).map { UInt8(max(0, min(255, $0 + 128))) }
    let picture = Picture(width: width, height: height, pixels: bytes)
    let found = picture.resizedBilinearTF1(side: side)
    func pixel(_ x: Int, _ y: Int, _ channel: Int) -> Double {
      Double(bytes[3 * (min(y, height - 1) * width + min(x, width - 1)) + channel])
    }
    var worst = 0.0
    for index in found.indices {
      let (y, x, channel) = (index / (3 * side), index / 3 % side, index % 3)
      let across = Double(Float(x) * (Float(width) / Float(side)))
      let down = Double(Float(y) * (Float(height) / Float(side)))
      let (left, top) = (Int(across), Int(down))
      let (right, bottom) = (across - Double(left), down - Double(top))
      let expected =
        pixel(left, top, channel) * (1 - right) * (1 - bottom) + pixel(left + 1, top, channel) * right * (1 - bottom)
        + pixel(left, top + 1, channel) * (1 - right) * bottom + pixel(left + 1, top + 1, channel) * right * bottom
      worst = max(worst, abs(Double(found[index]) - expected))
    }
    #expect(worst <= 1e-6 * 255)
  }
}
