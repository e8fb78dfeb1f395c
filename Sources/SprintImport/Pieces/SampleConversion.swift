import Foundation
import SprintFormats

/// Turns the numbers of a sample, as the source has them, into the numbers that the data set stores.
struct SampleConversion: Sendable {
  /// What follows the means, or nil for drawn latents.
  let secondHalf: SecondHalf?
  /// Whether the second half is known, so that what speaks against it is the fault of a sample.
  let isSure: Bool
  /// Whether to store float16 instead of float32.
  let isHalf: Bool

  /// Checks and converts `values`, and stores them as entry `place` of `target`.
  func store(
    _ values: UnsafeMutableBufferPointer<Float>, _ target: UnsafeMutableRawBufferPointer, _ place: Int
  ) throws {
    // If the sum is finite, so is every number; a sum that overflows gets a second look.
    if !values.reduce(0, +).isFinite, let bad = values.first(where: { !$0.isFinite }) {
      throw UnfitSample("holds \(bad), expected finite numbers")
    }
    try convert(secondHalf: UnsafeMutableBufferPointer(rebasing: values[(values.count / 2)...]))
    if isHalf {
      try storeHalves(values, target.assumingMemoryBound(to: Float16.self), place)
    } else {
      UnsafeMutableRawBufferPointer(rebasing: target[(place * values.count * 4)...])
        .copyMemory(from: UnsafeRawBufferPointer(values))
    }
  }

  private func convert(secondHalf half: UnsafeMutableBufferPointer<Float>) throws {
    switch secondHalf {
    case .std:
      guard let bad = half.first(where: { $0 < 0 }) else { return }
      let found = "\(bad) where a standard deviation should be"
      if isSure || !SecondHalfSigns.areMany(half.count { $0 < 0 }, of: half.count) { throw UnfitSample(found) }
      throw UnfitSample("\(found): these are logarithms of variances", ImportRemedy.chooseLogVariance)
    case .logVariance: for i in half.indices { half[i] = Self.deviation(logVariance: half[i]) }
    case nil: break
    }
  }

  private static func deviation(logVariance: Float) -> Float {
    Float(exp(0.5 * Double(max(-30, min(20, logVariance)))))
  }

  private func storeHalves(
    _ values: UnsafeMutableBufferPointer<Float>, _ halves: UnsafeMutableBufferPointer<Float16>, _ place: Int
  ) throws {
    for i in values.indices { halves[place * values.count + i] = Float16(values[i]) }
    if let i = values.indices.first(where: { !halves[place * values.count + $0].isFinite }) {
      throw UnfitSample("holds \(values[i]), too large for float16", ImportRemedy.storeFloat32)
    }
  }
}
