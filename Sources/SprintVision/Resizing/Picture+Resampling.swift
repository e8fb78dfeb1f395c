import SprintFormats

extension Picture {
  /// Returns the picture resized by bicubic interpolation with antialiasing: the bytes of Pillow's
  /// `resize((width, height), Image.BICUBIC)` until version 12; version 13 has other roundings where the picture is
  /// tall, as it resizes columns first there.
  package func resizedBicubic(width: Int, height: Int) -> Picture {
    resized(width: width, height: height, .bicubic, columns: 0..<width, rows: 0..<height)
  }

  /// Returns a part of the picture resized to `width` x `height`, byte for byte as Pillow computes it: rows first, then
  /// columns, with rounding to bytes in between.
  ///
  /// - Parameters:
  ///   - columns: the columns of the resized picture to compute
  ///   - rows: the rows of the resized picture to compute
  func resized(
    width: Int, height: Int, _ filter: ResamplingFilter, columns: Range<Int>, rows: Range<Int>
  ) -> Picture {
    precondition(width > 0 && height > 0, "a picture of \(width) x \(height)")
    let across = ResamplingWeights(from: self.width, to: width, filter, of: columns)
    let down = ResamplingWeights(from: self.height, to: height, filter, of: rows)
    let narrow = resampledRows(down.span, across)
    let pixels = narrow.resampledColumns(down, firstRow: down.span.lowerBound)
    return Picture(width: columns.count, height: rows.count, pixels: pixels)
  }

  /// Resamples each of the rows `span` to the columns of `weights`.
  private func resampledRows(_ span: Range<Int>, _ weights: ResamplingWeights) -> PaddedRows {
    let result = PaddedRows(rows: span.count, bytes: 3 * weights.inputs.count)
    // A pixel is loaded as four bytes, so the last one needs a byte behind it.
    withUnsafeTemporaryAllocation(byteCount: 3 * width + 1, alignment: 16) { line in
      line.initializeMemory(as: UInt8.self, repeating: 0)
      pixels.withUnsafeBytes { pixels in
        for (place, row) in span.enumerated() {
          line.copyMemory(from: UnsafeRawBufferPointer(rebasing: pixels[3 * width * row..<3 * width * (row + 1)]))
          weights.resample(pixels: UnsafeRawBufferPointer(line), into: result.row(place))
        }
      }
    }
    return result
  }
}

/// Rows of bytes, each with room to the next multiple of 16.
private final class PaddedRows {
  private let bytes, stride: Int
  private let memory: UnsafeMutableRawPointer

  init(rows: Int, bytes: Int) {
    self.bytes = bytes
    stride = (bytes + 4 + 15) / 16 * 16
    memory = .allocate(byteCount: rows * stride, alignment: 64)
  }

  deinit { memory.deallocate() }

  func row(_ index: Int) -> UnsafeMutableRawPointer { memory + index * stride }

  /// Weighs rows; returns the bytes of the resulting rows without padding.
  func resampledColumns(_ weights: ResamplingWeights, firstRow: Int) -> [UInt8] {
    let count = weights.inputs.count * bytes
    // The last vector of a row ends in the next row, which comes later, or in the room behind the last row.
    return [UInt8](unsafeUninitializedCapacity: count + 16) { memory, initialized in
      guard let target = UnsafeMutableRawPointer(memory.baseAddress) else { return }
      for index in weights.inputs.indices {
        let first = row(weights.inputs[index].lowerBound - firstRow)
        weights.resample(
          rows: first, stride, bytes, index, into: target + index * bytes)
      }
      initialized = count
    }
  }
}

extension ResamplingWeights {
  private static var half: Int32 { 1 << (fractionBits - 1) }

  /// Weighs the pixels of a row.
  ///
  /// - Parameters:
  ///   - line: red, green and blue of each pixel, and a byte behind them
  ///   - target: room for three bytes an output pixel and one more
  fileprivate func resample(pixels line: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) {
    weights.withUnsafeBufferPointer { weights in
      for index in inputs.indices {
        let range = inputs[index]
        var sum = SIMD4<Int32>(repeating: Self.half)
        for tap in 0..<range.count {
          let pixel = line.loadUnaligned(fromByteOffset: 3 * (range.lowerBound + tap), as: SIMD4<UInt8>.self)
          sum &+= SIMD4<Int32>(truncatingIfNeeded: pixel) &* weights[index * stride + tap]
        }
        let bytes = SIMD4<UInt8>(
          truncatingIfNeeded: (sum &>> Self.fractionBits).clamped(lowerBound: .zero, upperBound: .init(repeating: 255)))
        target.storeBytes(of: bytes, toByteOffset: 3 * index, as: SIMD4<UInt8>.self)
      }
    }
  }

  /// Weighs the bytes of rows, sixteen at a time, for output row `index`.
  ///
  /// - Parameters:
  ///   - first: the first input row of the output row
  ///   - pitch: the bytes from one input row to the next
  ///   - target: room for `count` bytes, and up to 15 more
  fileprivate func resample(
    rows first: UnsafeMutableRawPointer, _ pitch: Int, _ count: Int, _ index: Int, into target: UnsafeMutableRawPointer
  ) {
    let taps = inputs[index].count
    weights.withUnsafeBufferPointer { weights in
      for place in Swift.stride(from: 0, to: count, by: 16) {
        var sum = SIMD16<Int32>(repeating: Self.half)
        for tap in 0..<taps {
          let bytes = first.load(fromByteOffset: tap * pitch + place, as: SIMD16<UInt8>.self)
          sum &+= SIMD16<Int32>(truncatingIfNeeded: bytes) &* weights[index * stride + tap]
        }
        let bytes = SIMD16<UInt8>(
          truncatingIfNeeded: (sum &>> Self.fractionBits).clamped(lowerBound: .zero, upperBound: .init(repeating: 255)))
        target.storeBytes(of: bytes, toByteOffset: place, as: SIMD16<UInt8>.self)
      }
    }
  }
}
