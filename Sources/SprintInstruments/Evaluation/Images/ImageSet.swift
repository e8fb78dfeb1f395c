import SprintFormats
import SprintKernels

/// Images of one size that are rated, or that others are compared with; they are read in pieces. One thread reads.
package protocol ImageSet: AnyObject {
  /// The file or folder.
  var path: String { get }
  /// The number of images.
  var count: Int { get }
  /// The extents of every image.
  var extents: ImageExtents { get }
  /// What the file says about how its images were made; nothing where it does not.
  var origin: String { get }
  /// A text that changes when the images do.
  var stamp: String { get throws }

  /// Reads images as pictures of 8 bits.
  func pictures(_ range: Range<Int>, _ workers: Workers) throws -> [UsableImage<Picture>]
  /// Reads the numbers of images, [C, H, W] from -1 for black to 1 for white.
  func pixels(_ range: Range<Int>, _ workers: Workers) throws -> [UsableImage<[Float]>]
}

/// An image, or why it is left out.
package enum UsableImage<Content> {
  case whole(Content)
  case leftOut(String)

  /// Nil where it is left out.
  var content: Content? { if case .whole(let content) = self { content } else { nil } }
  /// Nil where it is whole.
  var problem: String? { if case .leftOut(let problem) = self { problem } else { nil } }

  func map<Other>(_ change: (Content) -> Other) -> UsableImage<Other> {
    switch self {
    case .whole(let content): .whole(change(content))
    case .leftOut(let problem): .leftOut(problem)
    }
  }
}

extension UsableImage: Sendable where Content: Sendable {}

/// The extents of an image.
package struct ImageExtents: Sendable, Equatable, CustomStringConvertible {
  /// 1 or 3.
  package let channels: Int
  /// In pixels.
  package let height, width: Int

  /// E.g. `3 x 256 x 256`.
  package var description: String { "\(channels) x \(height) x \(width)" }
  /// The numbers of an image.
  package var elements: Int { channels * height * width }
  /// Whether two images cover the same pixels.
  package func hasSameSize(as other: ImageExtents) -> Bool { height == other.height && width == other.width }
}

extension ImageExtents {
  /// Turns bytes [H, W, C] into numbers [C, H, W] from -1 to 1.
  func numbers(_ bytes: [UInt8]) -> [Float] {
    (0..<channels).flatMap { channel in
      stride(from: channel, to: bytes.count, by: channels).map { Float(bytes[$0]) / 127.5 - 1 }
    }
  }

  /// Turns bytes [H, W, C] into a picture; one channel becomes grey.
  func picture(_ bytes: [UInt8]) -> Picture {
    Picture(width: width, height: height, pixels: channels == 3 ? bytes : bytes.flatMap { [$0, $0, $0] })
  }

  /// Turns numbers [C, H, W] from -1 to 1 into bytes [H, W, C] as published: 127.5 x + 127.5, truncated. A number that
  /// lies within the rounding of float16 of a whole byte, as data sets store bytes, is that byte.
  func bytes(_ numbers: [Float]) -> [UInt8] {
    let plane = height * width
    return (0..<plane).flatMap { pixel in
      (0..<channels).map { channel in
        let level = max(0, min(255, 127.5 * numbers[channel * plane + pixel] + 127.5))
        let nearest = level.rounded()
        return UInt8(abs(level - nearest) < 1 / 16 ? nearest : level.rounded(.down))
      }
    }
  }
}
