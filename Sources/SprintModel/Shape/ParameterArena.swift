import SprintKernels

/// Weights with which passes compute: a `ParameterArena` of the passes' precision.
package protocol NetworkWeights: Sendable {
  /// The precision of passes with these weights.
  var precision: Precision { get }
}

/// One value for every weight of the network (weights, gradients, a moment or a moving average), in the order of the
/// layout.
package final class ParameterArena<Element: MatrixElement>: NetworkWeights {
  /// The names and places of the parameters.
  package let layout: ParameterLayout
  /// All values.
  package let elements: Vector<Element>
  let views: NetworkParameters<Element>
  private let arena: Arena

  /// Makes an arena of zeros for a network.
  package init(_ network: Network) {
    layout = network.layout
    arena = Arena(count: Arena.floats(for: Element.self, layout.count))
    elements = arena.matrix(of: Element.self, rows: 1, columns: layout.count).flattened
    views = NetworkParameters(network.configuration, layout, elements)
  }

  package var precision: Precision { Element.precision }

  /// The values of one parameter.
  package subscript(parameter: Parameter) -> Vector<Element> { elements[parameter.range] }
}

extension ParameterArena<Float> {
  /// Returns weights for passes in a precision: these, or a rounded copy.
  package func rounded(to precision: Precision, _ network: Network) -> any NetworkWeights {
    guard precision == .bfloat16 else { return self }
    let copy = ParameterArena<BFloat16>(network)
    network.workers.run(over: elements.count, grain: 1 << 18) { [elements] _, range in
      copy.elements[range].copy(from: elements[range])
    }
    return copy
  }
}
