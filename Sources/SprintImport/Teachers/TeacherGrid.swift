import SprintFormats
import SprintVision

/// Along how many patches of a side a teacher sees the pictures of an import; a network to train has as many tokens.
enum TeacherGrid {
  /// Returns the number that the user chooses, else that of REPA: 16 for each 256 pixels of a side, and 16 for smaller
  /// pictures. Throws for a side between multiples of 256, for which REPA's rule leaves out pixels.
  static func resolve(_ choice: Int?, side: Int, in path: String) throws -> Int {
    if let choice { return choice }
    guard side <= 256 || side % 256 == 0 else {
      throw FileError.unusable(
        path: path,
        problem: "a side of \(side) pixels; a teacher sees 16 x 16 tokens of sides up to 256, and 16 more along a side "
          + "for each further 256 pixels", remedy: ImportRemedy.nameTokens)
    }
    return DINOv2Input.alignmentSide(ofResolution: side) / DINOv2Input.publishedPatch
  }
}
