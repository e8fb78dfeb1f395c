import SprintKernels
import SprintModel

/// The names and shapes under which the weights of a network are published.
package struct PublishedWeights {
  /// Whose names they are.
  package enum Scheme: Sendable {
    /// SPRINT's, which are also those of the parameter layout.
    case sprint
    /// Those of SR-DiT (github.com/SwayStar123/SpeedrunDiT): blocks are numbered through, `fusion_proj` joins the
    /// paths, projectors are a list, and the patches' layer is a convolution.
    case srdit
  }

  /// A tensor that published files hold although nothing trains it.
  package struct Constant {
    package let name: String
    package let shape: [Int]
    package let values: Vector<Float>
    fileprivate let arena: Arena
  }

  private let model: ModelConfiguration
  private let scheme: Scheme

  package init(_ model: ModelConfiguration, _ scheme: Scheme) { (self.model, self.scheme) = (model, scheme) }

  /// The names that a network's weights are written under.
  package init(_ model: ModelConfiguration) { self.init(model, model.isSRDiT ? .srdit : .sprint) }

  /// The names that a file uses.
  package init(_ model: ModelConfiguration, in names: some Sequence<String>) {
    let isSRDiT = names.contains { $0 == Self.fusion || $0.hasSuffix(".\(Self.fusion)") }
    self.init(model, isSRDiT ? .srdit : .sprint)
  }

  private static let fusion = "fusion_proj.weight"

  /// The published name of a parameter.
  package func name(_ parameter: Parameter) -> String {
    guard scheme == .srdit else { return parameter.name }
    let parts = parameter.name.split(separator: ".").map(String.init)
    // Its class has room for the projectors of several teachers.
    if parts[0] == "projectors" { return (["projectors", "0"] + parts.dropFirst()).joined(separator: ".") }
    if parts[0] == "renoise_linear" { return (["fusion_proj"] + parts.dropFirst()).joined(separator: ".") }
    guard parts[0].hasSuffix("_blocks"), let section = Section(rawValue: String(parts[0].dropLast(7))),
      let index = Int(parts[1])
    else { return parameter.name }
    let block = model.blocks(of: section).lowerBound + index
    return (["blocks", "\(block)"] + parts.dropFirst(2)).joined(separator: ".")
  }

  /// The published shape of a parameter.
  package func shape(_ parameter: Parameter) -> [Int] {
    guard scheme == .srdit else { return parameter.shape }
    if parameter.name.hasSuffix("v1_lambda") { return [] }
    guard parameter.name == "x_embedder.proj.weight" else { return parameter.shape }
    return [model.width, model.channels, model.patch, model.patch]
  }

  /// What published files hold besides the parameters: SR-DiT's positions and its rotary table, which leaves out the
  /// class token.
  package func constants() -> [Constant] {
    guard scheme == .srdit else { return [] }
    let positions = PositionTable(prefix: model.prefix, grid: model.grid, width: model.width)
    let rotary = RotaryTable(grid: model.grid, headWidth: model.headWidth, theta: Float(model.ropeTheta))
    let shape = [model.patches, model.headWidth]
    // The tables own the memory of their values.
    return withExtendedLifetime((positions, rotary)) {
      [
        Self.constant("pos_embed", [1, model.tokens, model.width], positions.values) { $1 },
        Self.constant("feat_rope.freqs_cos", shape, rotary.cosine) { $1 },
        // The table has the sign of the rotation, the published one that of the angle.
        Self.constant("feat_rope.freqs_sin", shape, rotary.sine) { $0 % 2 == 0 ? -$1 : $1 },
      ]
    }
  }

  private static func constant(
    _ name: String, _ shape: [Int], _ values: Matrix<Float>, _ convert: (_ column: Int, _ value: Float) -> Float
  ) -> Constant {
    let arena = Arena(count: Arena.aligned(values.rows * values.columns))
    let copy = arena.matrix(rows: values.rows, columns: values.columns)
    for r in 0..<values.rows {
      for c in 0..<values.columns { copy[r, c] = convert(c, values[r, c]) }
    }
    return Constant(name: name, shape: shape, values: copy.flattened, arena: arena)
  }
}

extension ModelConfiguration {
  /// Whether SR-DiT's class computes this network.
  package var isSRDiT: Bool {
    norm == .rms && mixesValues && position == .rotaryAndSines && classToken != nil && fusion == .shallowFirst
      && outputOrder == .channelLast && learnsMaskToken
  }
}
