import SprintKernels

/// A layer of a network of images: it turns the maps of a pass into others.
protocol ImageLayer: Sendable {
  /// Adds what the layer needs to a plan, and brings the plan's extents to those of its output.
  func plan(_ plan: inout PassPlan)
  /// Computes the layer.
  func run(_ pass: ImagePass, _ workers: Workers)
}

/// A convolution of any kind, after a group norm with SiLU or nearest-neighbour upsampling where there is one.
struct ConvolutionLayer: ImageLayer {
  let convolution: Convolution
  var norm: GroupNorm?
  var isDoubled = false

  func plan(_ plan: inout PassPlan) {
    let factor = isDoubled ? 2 : 1
    plan.height = convolution.geometry.outputHeight(factor * plan.height)
    plan.width = convolution.geometry.outputWidth(factor * plan.width)
    plan.add(convolution, to: 1)
    plan.advance(1)
  }

  func run(_ pass: ImagePass, _ workers: Workers) {
    let scaling = norm.map { pass.scaling($0, isActivated: true) }
    let source = ConvolutionSource(pass.maps, scaling, isDoubled: isDoubled)
    let target = pass.target(of: convolution, doubled: isDoubled, slot: 1)
    convolution(source, into: target, moments: pass.moments(of: convolution, target), workers)
    pass.advance(1, target)
  }
}
