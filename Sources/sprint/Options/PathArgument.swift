import ArgumentParser

/// Reads a path; throws if it is empty, which would mean the root folder or the current one.
@Sendable func nonEmptyPath(_ argument: String) throws -> String {
  guard !argument.isEmpty else { throw ValidationError("is empty, expected a path") }
  return argument
}
