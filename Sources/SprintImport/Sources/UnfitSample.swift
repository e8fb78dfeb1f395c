import Foundation
import SprintFormats

/// What is wrong with a sample; `naming` adds the name of the sample and of its source.
struct UnfitSample: RemediableError, CustomStringConvertible {
  let description: String
  let remedy: (any Remedy)?

  init(_ problem: String, _ remedy: ImportRemedy? = nil) { (description, self.remedy) = (problem, remedy) }

  /// Whether an error is the fault of one sample, without which the others can be imported. What an option settles
  /// concerns all samples, and so does a disk that does not answer.
  static func isFaultOfOne(_ error: any Error) -> Bool {
    switch error {
    case let unfit as UnfitSample: unfit.remedy == nil
    case let file as FileError: file.concernsOneFile
    default: false
    }
  }
}

extension FileError {
  /// The error of a sample: it names the source and the sample, and keeps the remedy.
  static func ofSample(_ name: String, in source: String, _ error: any Error) -> FileError {
    .unusable(path: source, problem: "sample \(name): \(error)", remedy: (error as? any RemediableError)?.remedy)
  }
}

/// Calls `body`; an error that it throws becomes one that names the source and the sample.
func naming<Result>(sample name: String, in source: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw FileError.ofSample(name, in: source, error) }
}
