/// Channels, kernel, steps and borders of a convolution.
package struct ConvolutionGeometry: Hashable, Sendable {
  /// Channels of the source and of the target.
  package let inputs, outputs: Int
  /// Extents of the kernel.
  package let kernelHeight, kernelWidth: Int
  /// Pixels of the source from one pixel of the target to the next, in both directions.
  package let stride: Int
  /// Lines and columns of zeros around the source.
  package let top, left, bottom, right: Int

  /// Describes a convolution with a rectangular kernel and any borders.
  package init(
    inputs: Int, outputs: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1, top: Int, left: Int, bottom: Int,
    right: Int
  ) {
    precondition(min(inputs, outputs, kernelHeight, kernelWidth, stride) > 0, "a convolution without extent")
    precondition(min(top, left, bottom, right) >= 0, "a convolution with negative borders")
    (self.inputs, self.outputs, self.stride) = (inputs, outputs, stride)
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
  }

  /// Describes a convolution whose borders are equal on opposite sides.
  package init(
    inputs: Int, outputs: Int, kernel: (height: Int, width: Int), stride: Int = 1, padding: (height: Int, width: Int)
  ) {
    self.init(
      inputs: inputs, outputs: outputs, kernelHeight: kernel.height, kernelWidth: kernel.width, stride: stride,
      top: padding.height, left: padding.width, bottom: padding.height, right: padding.width)
  }

  /// The kernel's numbers: [outputs, inputs, kernelHeight, kernelWidth].
  package var weightCount: Int { outputs * inputs * kernelHeight * kernelWidth }

  /// The height of the target.
  package func outputHeight(_ height: Int) -> Int { (height + top + bottom - kernelHeight) / stride + 1 }

  /// The width of the target.
  package func outputWidth(_ width: Int) -> Int { (width + left + right - kernelWidth) / stride + 1 }

  /// The lines of a source of `height` lines from which lines `range` of the target are computed, and the lines of
  /// zeros above and below them.
  package func window(_ range: Range<Int>, height: Int) -> (lines: Range<Int>, above: Int, below: Int) {
    let first = range.lowerBound * stride - top
    let end = (range.upperBound - 1) * stride - top + kernelHeight
    let lines = min(max(first, 0), height)..<max(min(end, height), 0)
    return (lines, max(-first, 0), max(end - height, 0))
  }

  /// The number of even slices into which the lines of a target are cut. It depends on extents alone, so that any
  /// number of threads computes the same numbers.
  package func slices(outputHeight: Int, outputWidth: Int) -> Int {
    let workPerLine = outputWidth * weightCount
    let lines = max(Self.leastLines, Self.workPerSlice / workPerLine)
    return max(1, outputHeight / lines)
  }

  /// Multiplications of a slice: about a millisecond's.
  private static let workPerSlice = 1 << 25
  /// A slice reads up to `kernelHeight - 1` lines beyond its own.
  private static let leastLines = 8
}
