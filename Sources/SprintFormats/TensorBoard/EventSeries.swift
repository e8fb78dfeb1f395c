/// A series of events: curves, pictures and texts may have the same tag.
package struct EventSeries: Hashable, Sendable {
  /// What the values of a series are.
  package enum Kind: Sendable { case curve, picture, text }

  /// What the values are.
  package let kind: Kind
  /// The name that TensorBoard shows. It gathers names with the same part before a slash.
  package let tag: String

  /// A series of events.
  package init(_ kind: Kind, _ tag: String) { (self.kind, self.tag) = (kind, tag) }
}

extension Sprint_Tensorboard_Summary.Value {
  /// The series that the value belongs to.
  var series: EventSeries {
    switch value {
    case .image: EventSeries(.picture, tag)
    case .tensor: EventSeries(.text, tag)
    case .simpleValue, nil: EventSeries(.curve, tag)
    }
  }
}
