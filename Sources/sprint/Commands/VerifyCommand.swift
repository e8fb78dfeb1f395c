import ArgumentParser
import Foundation
import SprintInstruments
import SprintKernels
import SprintTraining

/// `sprint verify`
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Computes cases of the reference implementation again and compares every number.",
    discussion: "Example: sprint verify Tests/Reference/cases/*.safetensors")

  @Argument(help: "Case files.", transform: nonEmptyPath)
  var cases: [String]

  @Option(help: "The number format of the products: float32, or bfloat16, of which the first step alone is compared.")
  var precision: Precision = .float32

  @Option(
    help: "A safetensors file for velocity and gradients of the first step of a single case.", transform: nonEmptyPath)
  var out: String?

  @OptionGroup var threading: ThreadOptions

  @Flag(help: "Prints one JSON object a line, one for each case.")
  var json = false

  private struct Verdict: Encodable {
    let path: String
    let agrees: Bool
    let groups: [VerifiedGroup]
  }

  func validate() throws {
    guard out == nil || cases.count == 1 else { throw ValidationError("--out needs a single case") }
  }

  func run() throws {
    var agreeing = 0
    var isReadable = true
    for path in cases {
      do {
        let groups = try CaseVerification(
          path: path, precision: precision, writing: out, workers: threading.workers
        ).run()
        let agrees = groups.allSatisfy(\.agrees)
        agreeing += agrees ? 1 : 0
        if json {
          try CommandOutput.printJSON(Verdict(path: path, agrees: agrees, groups: groups))
        } else {
          Console.line("\(path): \(agrees ? "agrees" : "DIFFERS")")
          for group in groups { Console.line(Self.describe(group)) }
        }
      } catch {
        isReadable = false
        Console.error("sprint: \(Console.message(for: error))")
      }
    }
    if !json { Console.line("verified \(agreeing) of \(cases.count) cases") }
    if !isReadable { throw ExitCode(2) }
    if agreeing < cases.count { throw ExitCode(1) }
  }

  private static func describe(_ group: VerifiedGroup) -> String {
    let name = group.name.padding(toLength: 14, withPad: " ", startingAt: 0)
    return "  \(name) \(String(format: "%.1e", group.error)) of at most \(String(format: "%.0e", group.tolerance))"
      + (group.agrees ? "" : "  <- \(group.worst)")
  }
}
