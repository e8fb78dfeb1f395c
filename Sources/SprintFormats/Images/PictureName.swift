import Foundation

/// Which names are those of pictures, also of kinds that sprint cannot read: a picture must not be missed without a
/// word.
package enum PictureName {
  private static let endings: Set = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"]

  /// Whether a name ends as those of pictures do.
  package static func isOne(_ name: String) -> Bool { endings.contains((name as NSString).pathExtension.lowercased()) }
}
