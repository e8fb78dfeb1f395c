import Crypto
import Foundation
import SprintFormats

/// Which picture each latent was made of.
///
/// The published preprocessing (`dataset_tools.py` of EDM2, REPA and SpeedrunDiT) numbers latents by the places of
/// their pictures in the order of names. A picture has the same number, unless one before it was left out when the
/// pictures were cut.
struct PicturePairing: Sendable {
  /// The picture of each latent; nil where it is missing.
  let names: [String?]
  /// Lines about the pairs.
  let notes: [String]
  /// A text that differs between other pairs, as far as the names of the latents do not tell them.
  let contents: String

  /// Pairs by number if each latent has a picture of its number, or by place if there are as many pictures as latents;
  /// else pictures are missing, and each that is there needs a latent of its number.
  ///
  /// - Parameters:
  ///   - pictures: their names, in ascending order
  ///   - latents: their names, in ascending order
  ///   - path: the folder of the pictures
  init(_ pictures: [String], of latents: [String], in path: String) throws {
    let numbers = Self.byNumber(pictures)
    let names = latents.map { numbers?[SampleFiles.number(of: $0)] }
    let found = names.count { $0 != nil }
    if found < latents.count, pictures.count == latents.count {
      self.names = pictures
      notes = [
        "the numbers of \(path) are not those of the latents: pictures and latents are paired by their places in the "
          + "order of names, from `\(pictures[0])` with `\(latents[0])` on"
      ]
      contents = SHA256.hash(data: Data(pictures.joined(separator: "\n").utf8)).description
    } else {
      guard found > 0, found == latents.count || found == pictures.count else {
        throw Self.unclear(pictures, latents, in: path)
      }
      self.names = names
      let used = Set(names.compactMap(\.self))
      let rest = pictures.count > used.count ? pictures.filter { !used.contains($0) } : []
      notes = [Clutter.note(rest, "no latent has the number of these pictures of \(path)")].compactMap(\.self)
      contents = "by number"
    }
  }

  /// Returns the pictures by folder and number; nil where a picture has no number, or that of another.
  private static func byNumber(_ pictures: [String]) -> [String: String]? {
    var numbers: [String: String] = [:]
    for picture in pictures {
      let number = SampleFiles.number(of: picture)
      if number.isEmpty || numbers.updateValue(picture, forKey: number) != nil { return nil }
    }
    return numbers
  }

  private static func unclear(_ pictures: [String], _ latents: [String], in path: String) -> FileError {
    let example = pictures.first.map { ", such as `\($0)`," } ?? ""
    return .unusable(
      path: path,
      problem: "holds \(pictures.count) pictures\(example) for \(latents.count) latents, such as `\(latents[0])`, "
        + "expected one for each, of the same folder and number, or as many in the same order; put the pictures there "
        + "that the latents were made of")
  }
}
