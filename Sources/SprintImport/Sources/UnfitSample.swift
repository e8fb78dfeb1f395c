import SprintFormats

/// What is wrong with a sample; `naming` adds the name of the sample and of its source.
struct UnfitSample: RemediableError, CustomStringConvertible {
  let description: String
  let remedy: (any Remedy)?

  init(_ problem: String, _ remedy: ImportRemedy? = nil) { (description, self.remedy) = (problem, remedy) }
}

/// Calls `body`; an error that it throws becomes one that names the source and the sample and keeps the remedy.
func naming<Result>(sample name: String, in source: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch {
    throw FileError.unusable(
      path: source, problem: "sample \(name): \(error)", remedy: (error as? any RemediableError)?.remedy)
  }
}
