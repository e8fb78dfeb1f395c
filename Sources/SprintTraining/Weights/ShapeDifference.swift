/// A tensor that has one shape in a file and another in the network.
struct ShapeDifference {
  /// The published name.
  let name: String
  let found, expected: [Int]

  /// Whether it belongs to a block, as in networks of another width.
  var isOfBlock: Bool { name.split(separator: ".")[0].hasSuffix("blocks") }

  /// A pattern of the names of its layer.
  var pattern: String {
    let parts = name.split(separator: ".")
    guard parts.count > 1 else { return name }
    // An embedder is one layer to its user.
    let layer = parts[0].hasSuffix("_embedder") ? parts.prefix(1) : parts.dropLast()
    return layer.joined(separator: ".") + ".*"
  }

  /// One line for the user where the difference is allowed.
  var notice: String {
    "`\(name)` is of shape \(found) in the file and \(expected) in the network: it starts anew"
  }

  private static let mostListed = 8

  /// What is wrong where `differences`, at least one, are not allowed.
  static func problem(_ differences: [ShapeDifference]) -> (text: String, remedy: WeightsRemedy?) {
    let more = differences.count - mostListed
    let listed =
      differences.prefix(mostListed).map { "`\($0.name)` is of shape \($0.found), expected \($0.expected)" }
      + (more > 0 ? ["\(more) more are of other shapes"] : [])
    let text = listed.joined(separator: "; ")
    if differences.contains(where: \.isOfBlock) { return ("\(text); is the model of another size?", nil) }
    return (text, .allowShapes(Set(differences.map(\.pattern)).sorted()))
  }
}
