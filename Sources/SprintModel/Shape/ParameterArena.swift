import SprintKernels

/// One number for each parameter (weights, gradients, a moment, or a moving average) in the order of the layout.
package final class ParameterArena: Sendable {
  /// The table of names and places.
  package let layout: ParameterLayout
  /// All numbers.
  package let elements: Vector
  let views: NetworkParameters
  private let arena: Arena

  /// An arena of zeros for a network.
  package init(_ network: Network) {
    layout = network.layout
    arena = Arena(count: layout.count)
    elements = arena.elements
    views = NetworkParameters(network.configuration, layout, elements)
  }

  /// The numbers of one parameter.
  package subscript(parameter: Parameter) -> Vector { elements[parameter.range] }
}
