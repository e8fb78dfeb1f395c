import ArgumentParser
import Foundation
import SprintCommunication
import SprintKernels

CPU.requireInstructions()
// OpenBLAS chooses its kernels while it is loaded: a wrong choice can only be mended by starting again, before anything else.
if let line = BLAS.reexecuteWithBetterCore(), Launch.current?.rank ?? 0 == 0 { Console.error("sprint: \(line)") }
BLAS.useOneThread()

do {
  var command = try Sprint.parseAsRoot()
  try command.run()
  Console.leave(0)
} catch {
  Console.exit(for: error)
}
