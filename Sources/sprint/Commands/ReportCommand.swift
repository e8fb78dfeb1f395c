import ArgumentParser
import SprintInstruments
import SprintTraining

/// `sprint report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes the curves, samples, speed and checkpoints of a run, or compares runs, as one HTML file.",
    discussion: """
      Example: sprint report runs/digits --csv digits.csv
      Example: sprint report runs/digits runs/digits-dense --out comparison.html
      """)

  @Argument(help: "The folder of a run; it may still be training. Several are compared.", transform: nonEmptyPath)
  var folders: [String]

  @Option(help: "The file to write; without it, RUN/report.html, or comparison.html.", transform: nonEmptyPath)
  var out: String?

  @Option(
    help: "Also writes the numbers of every step to this file, one line for each step (.csv).", transform: nonEmptyPath)
  var csv: String?

  func validate() throws {
    guard folders.count == 1 || csv == nil else { throw ValidationError("--csv needs a single run") }
  }

  func run() throws {
    if folders.count == 1 { try report(on: folders[0]) } else { try compare() }
  }

  private func compare() throws {
    let page = out ?? "comparison.html"
    try RunComparison(runs: folders).writeHTML(to: page)
    Console.line(page)
  }

  private func report(on folder: String) throws {
    let report = try RunReport(run: folder)
    let page = out ?? "\(folder)/report.html"
    try report.writeHTML(to: page)
    Console.line(page)
    if let csv {
      try report.writeCSV(to: csv)
      Console.line(csv)
    }
  }
}
