/// The names of what a data set holds of a teacher; nil for what is not needed.
package struct TeacherNames: Sendable, Equatable {
  /// Of the features under `/features`.
  package var features: String?
  /// Of the class tokens under `/class_tokens`.
  package var classTokens: String?
  /// Of the attention under `/attention`, or under `/queries` and `/keys`.
  package var attention: String?

  /// Makes the names.
  package init(features: String? = nil, classTokens: String? = nil, attention: String? = nil) {
    (self.features, self.classTokens, self.attention) = (features, classTokens, attention)
  }
}

/// The groups of a data set that hold what teachers say, one entry a teacher.
package enum TeacherGroup: String, Sendable, CaseIterable {
  case features, attention, queries, keys
  case classTokens = "class_tokens"

  /// The path of the group; what belongs to mirrored images is in a group of its own.
  package func path(mirrored: Bool = false) -> String { "/\(rawValue)\(mirrored ? "_flip" : "")" }

  /// The path of what the teacher `name` says.
  package func path(_ name: String, mirrored: Bool = false) -> String { "\(path(mirrored: mirrored))/\(name)" }
}
