import SprintKernels

/// Images on their way through layers: the maps of the current layer, their moments, and the memory of all of them.
final class ImagePass {
  /// [B, height, width, C] the input of the next layer.
  private(set) var maps: FeatureMaps
  private let arena: Arena
  private let slots: [Vector<Float>]
  /// Memory for each worker.
  let threadMemory: [Vector<Float>]
  private let records, scales, shifts: Vector<Float>
  private var slot = 0
  private var current: GroupMoments?

  /// Takes the memory of a plan.
  ///
  /// - Parameters:
  ///   - plan: of all layers
  ///   - images: B
  ///   - height: of the first layer's input, whose numbers the caller writes to `maps`
  init(_ plan: PassPlan, images: Int, height: Int, width: Int, channels: Int, threads: Int) {
    let arena = Arena(count: plan.floats(images: images, threads: threads))
    func cut(_ count: Int) -> Vector<Float> { arena.matrix(rows: 1, columns: count).flattened }
    self.arena = arena
    slots = plan.slots.map { cut($0 * images) }
    threadMemory = (0..<threads).map { _ in cut(plan.perThread) }
    (scales, shifts) = (cut(images * plan.channels), cut(images * plan.channels))
    records = cut(images * plan.slices * GroupMoments.floats(groups: GroupNorm.groups))
    maps = Self.maps(slots[0], count: images, height: height, width: width, channels: channels)
  }

  private static func maps(_ slot: Vector<Float>, count: Int, height: Int, width: Int, channels: Int) -> FeatureMaps {
    FeatureMaps(
      slot[0..<count * height * width * channels].matrix(columns: channels), count: count, height: height, width: width)
  }

  /// The place for a convolution of the current maps.
  func target(of convolution: Convolution, doubled: Bool = false, slot distance: Int) -> FeatureMaps {
    let geometry = convolution.geometry
    let factor = doubled ? 2 : 1
    return Self.maps(
      slots[(slot + distance) % 3], count: maps.count, height: geometry.outputHeight(factor * maps.height),
      width: geometry.outputWidth(factor * maps.width), channels: geometry.outputs)
  }

  /// The place for the moments of a convolution's target, or nil where no group norm can follow.
  func moments(of convolution: Convolution, _ target: FeatureMaps) -> GroupMoments? {
    guard target.channels % GroupNorm.groups == 0 else { return nil }
    let slices = convolution.slices(height: target.height, width: target.width)
    let columns = GroupMoments.floats(groups: GroupNorm.groups)
    let moments = GroupMoments(
      records[0..<target.count * slices * columns].matrix(columns: columns), slices: slices)
    current = moments
    return moments
  }

  /// What a norm does to the maps whose moments were computed last.
  func scaling(_ norm: GroupNorm, isActivated: Bool) -> ChannelScaling {
    guard let current else { preconditionFailure("a norm of maps without moments") }
    let channels = norm.channels
    let scaling = ChannelScaling(
      scale: scales[0..<maps.count * channels].matrix(columns: channels),
      shift: shifts[0..<maps.count * channels].matrix(columns: channels), isActivated: isActivated)
    norm.normalize(current, into: scaling)
    return scaling
  }

  /// Makes the output of a layer the input of the next.
  func advance(_ distance: Int, _ maps: FeatureMaps) {
    (slot, self.maps) = ((slot + distance) % 3, maps)
  }
}
