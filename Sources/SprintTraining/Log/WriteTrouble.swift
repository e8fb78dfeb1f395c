/// Tells the user once when a part of the journal cannot be written, and once when it can again.
struct WriteTrouble {
  /// What a journal writes.
  enum Part: String {
    case log = "the log", curves = "the events for TensorBoard", pictures = "the picture"
  }

  private var failing: Set<Part> = []

  /// Writes; returns nil and tells the user where that fails.
  mutating func attempt<T>(_ part: Part, _ note: (String) -> Void, _ write: () throws -> T) -> T? {
    do {
      let result = try write()
      if failing.remove(part) != nil { note("\(part.rawValue): written again, with what had to wait") }
      return result
    } catch {
      if failing.insert(part).inserted {
        note("\(error); training goes on, and \(part.rawValue) will be written later")
      }
      return nil
    }
  }
}
