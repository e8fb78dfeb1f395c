/// How large a picture may be.
enum PictureBound {
  /// The most pixels, as Pillow has it: pictures beyond are more often attacks than photos.
  static let mostPixels = 178_956_970

  /// Throws where a header claims more pixels than there may be, or than its file can hold.
  ///
  /// - Parameter mostInFile: the pixels of a file of this size, packed as well as the format can do
  static func check(width: Int, height: Int, mostInFile: Int, name: String) throws {
    guard width > 0, height > 0 else {
      throw FileError.unusable(path: name, problem: "claims \(width) x \(height) pixels")
    }
    let pixels = width * height
    guard pixels <= mostPixels else {
      throw FileError.unusable(
        path: name, problem: "\(width) x \(height) pixels, expected at most \(mostPixels / 1_000_000) million")
    }
    guard pixels <= mostInFile else {
      throw FileError.unusable(
        path: name, problem: "claims \(width) x \(height) pixels, more than a file of its size can hold")
    }
  }
}
