import ArgumentParser
import SprintFormats
import SprintKernels
import SprintTraining

Signals.hold()
CPU.requireInstructions()
// OpenBLAS chooses its kernels while it is loaded; only a new process can have others.
CoreChoice.current.restartIfNeeded()
BLAS.useOneThread()
OpenFileLimit.raise()
Signals.listen()
Arena.endOnShortage { Console.exit(for: MemoryShortage($0)) }

do {
  try Console.checkArguments()
  try RawArguments.requireUTF8()
  var command = try Sprint.parseAsRoot()
  if !(command is any Stoppable) { Signals.endTheProcess() }
  try command.run()
  try Console.checkOutput()
  Console.leave(0)
} catch {
  Console.exit(for: error)
}
