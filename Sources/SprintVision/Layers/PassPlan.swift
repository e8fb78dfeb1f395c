import SprintKernels

/// The memory that a pass of one image takes, layer by layer. Three slots hold the maps: those of a layer's input, and
/// what the layer computes in the slots after it.
struct PassPlan {
  /// Extents of the current maps.
  var height, width: Int
  /// Floats of each slot.
  private(set) var slots = [0, 0, 0]
  /// Bytes that a thread takes beside `perThread`.
  private(set) var scratchBytes = 0
  /// Floats of the memory of each thread.
  private(set) var perThread = 0
  /// The most slices of an image, and the most channels of one.
  private(set) var (slices, channels) = (1, 1)
  private var slot = 0

  /// Starts with images of some channels in the first slot.
  init(height: Int, width: Int, channels: Int) {
    (self.height, self.width) = (height, width)
    need(channels, in: 0)
  }

  /// Asks for maps of some channels in the slot that is `distance` after the current one.
  mutating func need(_ channels: Int, in distance: Int) {
    let index = (slot + distance) % 3
    slots[index] = max(slots[index], Arena.aligned(height * width * channels))
    self.channels = max(self.channels, channels)
  }

  /// Asks for what a convolution to the current extents needs, and for its target.
  mutating func add(_ convolution: Convolution, to distance: Int) {
    need(convolution.geometry.outputs, in: distance)
    addScratch(convolution)
  }

  /// Asks for what a convolution to the current extents needs.
  mutating func addScratch(_ convolution: Convolution) {
    scratchBytes = max(scratchBytes, convolution.scratchBytes(height: height, width: width))
    slices = max(slices, convolution.slices(height: height, width: width))
    channels = max(channels, convolution.geometry.inputs)
  }

  /// Asks for floats for each thread.
  mutating func needPerThread(_ floats: Int) { perThread = max(perThread, Arena.aligned(floats)) }

  /// Makes the slot that is `distance` after the current one the current one.
  mutating func advance(_ distance: Int) { slot = (slot + distance) % 3 }

  /// The floats that several images in flight take.
  func floats(images: Int, threads: Int) -> Int {
    slots.reduce(0) { $0 + Arena.aligned($1 * images) } + threads * perThread + 2 * Arena.aligned(images * channels)
      + Arena.aligned(images * slices * GroupMoments.floats(groups: GroupNorm.groups))
  }
}
