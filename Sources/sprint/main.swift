import ArgumentParser
import SprintKernels

CPU.requireInstructions()
// OpenBLAS chooses its kernels while it is loaded; only a new process can have others.
CoreChoice.current.restartIfNeeded()
BLAS.useOneThread()

do {
  var command = try Sprint.parseAsRoot()
  try command.run()
  Console.leave(0)
} catch {
  Console.exit(for: error)
}
