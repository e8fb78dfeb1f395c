import SprintKernels

/// The extents of one map of features.
struct MapShape {
  var height, width, channels: Int

  var count: Int { height * width * channels }

  /// A map of this shape at the beginning of some memory.
  func map(in memory: Vector<Float>) -> FeatureMaps {
    FeatureMaps(memory[0..<count].matrix(columns: channels), height: height, width: width)
  }
}

extension FeatureMaps {
  var shape: MapShape { MapShape(height: height, width: width, channels: channels) }
}

/// A step of a branch, ready to run.
enum InceptionStep: Sendable {
  case units([Convolution])
  case pooling(Pooling, stride: Int, padding: Int)

  init(_ plan: InceptionStepPlan, _ prefix: String, inputs: Int, _ tensors: InceptionTensors) throws {
    switch plan {
    case .units(let units): self = .units(try units.map { try tensors.unit($0, prefix, inputs: inputs) })
    case .pooling(let pooling, let stride, let padding): self = .pooling(pooling, stride: stride, padding: padding)
    }
  }

  /// The channels of the target.
  func channels(_ inputs: Int) -> Int {
    switch self {
    case .pooling: inputs
    case .units(let units): units.reduce(0) { $0 + $1.geometry.outputs }
    }
  }

  /// The extents of the target.
  func shape(_ source: MapShape) -> MapShape {
    switch self {
    case .pooling(_, let stride, let padding):
      func extent(_ count: Int) -> Int { (count + 2 * padding - 3) / stride + 1 }
      return MapShape(height: extent(source.height), width: extent(source.width), channels: source.channels)
    case .units(let units):
      let geometry = units[0].geometry
      return MapShape(
        height: geometry.outputHeight(source.height), width: geometry.outputWidth(source.width),
        channels: channels(source.channels))
    }
  }

  func run(_ x: FeatureMaps, into y: FeatureMaps) {
    switch self {
    case .pooling(let pooling, let stride, let padding): pool(x, pooling, stride: stride, padding: padding, into: y)
    case .units(let units):
      var first = 0
      for unit in units {
        unit(x, into: y.channels(first..<first + unit.geometry.outputs))
        first += unit.geometry.outputs
      }
    }
  }
}

/// A block, ready to run.
struct InceptionBlock: Sendable {
  /// Whether the first branch gives the spatial features.
  let isSpatial: Bool
  private let branches: [[InceptionStep]]

  /// Reads the weights of a block whose source has `inputs` channels.
  init(_ plan: InceptionBlockPlan, inputs: Int, _ tensors: InceptionTensors) throws {
    isSpatial = plan.isSpatial
    branches = try plan.branches.map { steps in
      var channels = inputs
      return try steps.map { step in
        let step = try InceptionStep(step, plan.name, inputs: channels, tensors)
        channels = step.channels(channels)
        return step
      }
    }
  }

  /// The channels of the target.
  func channels(_ inputs: Int) -> Int { branches.reduce(0) { $0 + $1.reduce(inputs) { $1.channels($0) } } }

  /// The channels of the first branch, which come first in the target.
  func firstChannels(_ inputs: Int) -> Int { branches[0].reduce(inputs) { $1.channels($0) } }

  /// The extents of the target.
  func shape(_ source: MapShape) -> MapShape {
    let first = branches[0].reduce(source) { $1.shape($0) }
    return MapShape(height: first.height, width: first.width, channels: channels(source.channels))
  }

  /// The numbers of the largest map between two steps.
  func largest(_ source: MapShape) -> Int {
    branches.reduce(0) { largest, steps in
      var shape = source
      return steps.reduce(largest) {
        shape = $1.shape(shape)
        return max($0, shape.count)
      }
    }
  }

  /// - Parameter between: memory for two maps between steps
  func run(_ x: FeatureMaps, into y: FeatureMaps, between: [Vector<Float>]) {
    var first = 0
    for steps in branches {
      let channels = steps.reduce(x.channels) { $1.channels($0) }
      run(steps, x, into: y.channels(first..<first + channels), between)
      first += channels
    }
  }

  private func run(_ steps: [InceptionStep], _ x: FeatureMaps, into y: FeatureMaps, _ between: [Vector<Float>]) {
    var x = x
    for (index, step) in steps.enumerated() {
      let isLast = index == steps.count - 1
      let target =
        isLast
        ? y
        : step.shape(x.shape).map(in: between[index % 2])
      step.run(x, into: target)
      x = target
    }
  }
}
