import SprintKernels

/// One value for every weight of the network (weights, gradients, a moment or a moving average), in the order of the
/// layout.
package final class ParameterArena: Sendable {
  /// The names and places of the parameters.
  package let layout: ParameterLayout
  /// All values.
  package let elements: Vector
  let views: NetworkParameters
  private let arena: Arena

  /// Makes an arena of zeros for a network.
  package init(_ network: Network) {
    layout = network.layout
    arena = Arena(count: layout.count)
    elements = arena.elements
    views = NetworkParameters(network.configuration, layout, elements)
  }

  /// The values of one parameter.
  package subscript(parameter: Parameter) -> Vector { elements[parameter.range] }
}
