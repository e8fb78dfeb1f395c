/// The names of what a data set holds of a teacher; nil for what is not needed.
package struct TeacherNames: Sendable, Equatable {
  /// Of the features under `/features`.
  package var features: String?
  /// Of the attention under `/attention`, or under `/queries` and `/keys`.
  package var attention: String?

  /// Makes the names.
  package init(features: String? = nil, attention: String? = nil) {
    (self.features, self.attention) = (features, attention)
  }
}
