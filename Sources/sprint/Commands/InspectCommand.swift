import ArgumentParser
import SprintFormats
import SprintImport
import SprintInstruments
import SprintTraining

/// `sprint inspect`
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Says what a file or a folder is and what it holds, and verifies a checkpoint.",
    discussion: "Example: sprint inspect configs/data/digits.h5 --preview digits.png")

  @Argument(
    help: "The file or folder: a data set, a run, a checkpoint, weights, or anything else.", transform: nonEmptyPath)
  var file: String

  @Option(help: "Draw some samples of a data set, one row a class (.png).", transform: nonEmptyPath)
  var preview: String?

  @Flag(help: "Print one JSON object on one line.")
  var json = false

  func run() throws {
    let inspection = try Inspection(path: file, importHint: Self.importHint)
    if json { try CommandOutput.printJSON(inspection) } else { inspection.lines.forEach(Console.line) }
    guard let preview else { return }
    guard inspection.isDataset else {
      throw ValidationError("--preview draws samples of a data set, \(file) is none")
    }
    let caption = try DatasetInspection.writePreview(of: file, to: preview)
    if !json { Console.line("preview: \(preview)\(caption.map { "; \($0)" } ?? "")") }
  }

  /// How a source of latents can be imported; nil where no layout fits.
  private static func importHint(_ path: String) -> String? {
    do {
      let layout = try ImportLayout.detect(path)
      return "a source of latents: sprint import --from \(layout) \(path) OUT.h5"
    } catch FileError.unusable(_, let problem, _?) where !problem.hasPrefix("no ") {
      return "a source of latents, but \(problem): say what it is with sprint import --from"
    } catch {
      return nil
    }
  }
}
