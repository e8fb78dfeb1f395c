import SprintFormats

extension Picture {
  /// Returns the square in the middle, resized to `side` x `side`, as the published preprocessing of ImageNet makes it:
  /// halved while it is twice too large, resized until the shorter side fits, cut off at both ends of the longer one.
  /// The bytes of `center_crop_arr` with Pillow; `guided_diffusion/image_datasets.py`,
  /// https://github.com/openai/guided-diffusion
  package func centreCrop(side: Int) -> Picture {
    var picture = self
    while min(picture.width, picture.height) >= 2 * side { picture = picture.halved() }
    let scale = Double(side) / Double(min(picture.width, picture.height))
    // Python's `round` goes to the even number.
    func scaled(_ extent: Int) -> Int { Int((Double(extent) * scale).rounded(.toNearestOrEven)) }
    func middle(_ extent: Int) -> Range<Int> { (extent - side) / 2..<(extent - side) / 2 + side }
    let (width, height) = (scaled(picture.width), scaled(picture.height))
    return picture.resized(width: width, height: height, .bicubic, columns: middle(width), rows: middle(height))
  }

  private func halved() -> Picture {
    resized(width: width / 2, height: height / 2, .box, columns: 0..<width / 2, rows: 0..<height / 2)
  }
}
