import SprintKernels

/// y = shortcut(x) + conv2(SiLU(norm2(conv1(SiLU(norm1(x)))))); the shortcut is a 1 x 1 convolution where the number
/// of channels changes, else x itself.
struct ResidualBlock: ImageLayer {
  private let norm1, norm2: GroupNorm
  private let conv1, conv2: Convolution
  private let shortcut: Convolution?

  /// Reads `name.norm1` and so on.
  init(_ weights: NetworkWeights, _ name: String, shortcut shortcutName: String, inputs: Int) throws {
    conv1 = try Convolution(weights, "\(name).conv1", inputs: inputs, kernel: 3, isNormed: true)
    let outputs = conv1.geometry.outputs
    norm1 = try GroupNorm(weights, "\(name).norm1", channels: inputs)
    norm2 = try GroupNorm(weights, "\(name).norm2", channels: outputs)
    conv2 = try Convolution(weights, "\(name).conv2", inputs: outputs, outputs: outputs, kernel: 3)
    shortcut =
      inputs == outputs
      ? nil : try Convolution(weights, "\(name).\(shortcutName)", inputs: inputs, outputs: outputs, kernel: 1)
  }

  /// Channels of the output.
  var outputs: Int { conv1.geometry.outputs }

  func plan(_ plan: inout PassPlan) {
    plan.add(conv1, to: 1)
    plan.addScratch(conv2)
    guard let shortcut else { return }
    plan.add(shortcut, to: 2)
    plan.advance(2)
  }

  func run(_ pass: ImagePass, _ workers: Workers) {
    let x = pass.maps
    let h = pass.target(of: conv1, slot: 1)
    let source = ConvolutionSource(x, pass.scaling(norm1, isActivated: true))
    conv1(source, into: h, moments: pass.moments(of: conv1, h), workers)
    let y = shortcut.map { pass.target(of: $0, slot: 2) } ?? x
    shortcut?(x, into: y, workers)
    let hidden = ConvolutionSource(h, pass.scaling(norm2, isActivated: true))
    conv2(hidden, into: y, adds: true, moments: pass.moments(of: conv2, y), workers)
    if shortcut != nil { pass.advance(2, y) }
  }
}
