import SprintFormats

/// A teacher, and what to store of it: DINOv2, of which REPA stores features, SR-DiT the class token and HASTE the
/// attention.
package struct TeacherRequest: Sendable, Equatable {
  /// The name of its data sets.
  package let name: String
  /// The safetensors file of its weights.
  package let path: String
  /// Whether features and class tokens are stored, and whether the attention is.
  package private(set) var hasFeatures = false, hasAttention = false

  /// Combines the teachers whose features are stored with those whose attention is. Each is named with the path of its
  /// weights, like `dinov2-b=dinov2_vitb14.safetensors`. Throws unless the names tell them apart.
  package static func all(features: [String], attention: [String]) throws -> [TeacherRequest] {
    var all: [TeacherRequest] = []
    let parts: [(texts: [String], part: WritableKeyPath<TeacherRequest, Bool>)] = [
      (features, \.hasFeatures), (attention, \.hasAttention),
    ]
    for (texts, part) in parts {
      for text in texts {
        let request = try TeacherRequest(text)
        let place = all.firstIndex { $0.name == request.name } ?? all.count
        if place == all.count { all.append(request) }
        guard all[place].path == request.path, !all[place][keyPath: part] else {
          throw TeacherRequestError.named(request.name, all[place].path, request.path)
        }
        all[place][keyPath: part] = true
      }
    }
    return all
  }

  private init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, parts[0].wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.-]*/) != nil else {
      throw TeacherRequestError.malformed(text)
    }
    (name, path) = (String(parts[0]), String(parts[1]))
  }
}

/// Why a teacher cannot be asked for as it is.
package enum TeacherRequestError: Error, CustomStringConvertible {
  /// The text is not a name and a path.
  case malformed(String)
  /// One name stands for two teachers, or for one of them twice.
  case named(String, String, String)

  package var description: String {
    switch self {
    case .malformed(let text):
      "`\(text)`: expected NAME=WEIGHTS with a name of letters, digits, `-`, `_` and `.`, e.g. dinov2-b=dinov2_vitb14."
        + "safetensors"
    case .named(let name, let first, let second):
      first == second
        ? "`\(name)=\(first)` is given twice; leave out one of them"
        : "`\(name)` stands for \(first) and for \(second); give one of them another name"
    }
  }
}
