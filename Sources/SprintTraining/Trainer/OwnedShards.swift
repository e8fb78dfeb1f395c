import SprintCommunication
import SprintKernels
import SprintModel

/// A range of weights that this rank updates.
struct OwnedRange: Sendable {
  /// Its place in the arenas of weights and gradients.
  let place: Range<Int>
  /// Its place in the rank's own state, where owned ranges lie one after another.
  let state: Range<Int>
}

/// Which weights this rank updates, and how the work is cut for its workers.
struct OwnedShards: Sendable {
  /// The rank's shard of each bucket, in order; everything where state is not sharded.
  let ranges: [OwnedRange]
  /// Trained weights by bucket, in slices that several workers share evenly and a cache holds.
  let slices: [[OwnedRange]]
  /// The slices of all buckets in one list.
  let allSlices: [OwnedRange]

  /// Cuts the given places of a layout.
  init(_ places: [Range<Int>], of layout: ParameterLayout) {
    var count = 0
    ranges = places.map { place in
      defer { count += place.count }
      return OwnedRange(place: place, state: count..<count + place.count)
    }
    let trained = Self.trainedRanges(layout)
    slices = ranges.map { owned in
      let shift = owned.state.lowerBound - owned.place.lowerBound
      return trained.flatMap { Self.cut($0.clamped(to: owned.place)) }.map {
        OwnedRange(place: $0, state: $0.lowerBound + shift..<$0.upperBound + shift)
      }
    }
    allSlices = slices.flatMap(\.self)
  }

  /// How many weights this rank updates.
  var count: Int { ranges.last?.state.upperBound ?? 0 }

  /// Copies the owned ranges of a whole arena into this rank's state.
  func take(from whole: Vector<Float>, into own: Vector<Float>) {
    for range in ranges { own[range.state].copy(from: whole[range.place]) }
  }

  /// Neighbouring trained parameters as one range; frozen parameters separate them, and so does the projector, which
  /// may rest while the others move.
  private static func trainedRanges(_ layout: ParameterLayout) -> [Range<Int>] {
    let edges = layout.projector.map { [$0.lowerBound, $0.upperBound] } ?? []
    return layout.parameters.filter(\.isTrained).reduce(into: []) { ranges, parameter in
      let start = parameter.range.lowerBound
      if let last = ranges.last, last.upperBound == start, !edges.contains(start) {
        ranges[ranges.count - 1] = last.lowerBound..<parameter.range.upperBound
      } else {
        ranges.append(parameter.range)
      }
    }
  }

  private static func cut(_ range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16).map { $0..<min($0 + (1 << 16), range.upperBound) }
  }
}

/// The moving average of the weights and AdamW's moments, for the weights that a rank updates.
struct ShardState: Sendable {
  /// [owned weights] each.
  let average, firstMoment, secondMoment: Vector<Float>
  private let memory: [Arena]

  /// State of `count` weights, all zero.
  init(count: Int) {
    memory = (0..<3).map { _ in Arena(count: count) }
    (average, firstMoment, secondMoment) = (memory[0].elements, memory[1].elements, memory[2].elements)
  }
}
