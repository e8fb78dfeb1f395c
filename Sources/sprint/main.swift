import ArgumentParser
import SprintFormats
import SprintKernels

Signals.hold()
CPU.requireInstructions()
// OpenBLAS chooses its kernels while it is loaded; only a new process can have others.
CoreChoice.current.restartIfNeeded()
BLAS.useOneThread()
OpenFileLimit.raise()
Signals.listen()

do {
  try Console.checkArguments()
  try RawArguments.requireUTF8()
  try UnknownCommand.check(CommandLine.arguments.dropFirst())
  var command = try Sprint.parseAsRoot()
  if !(command is any Stoppable) { Signals.endTheProcess() }
  try command.run()
  // What training prints also stands in its log; a finished run is not lost with it.
  if !(command is TrainCommand) { try Console.checkOutput() }
  Console.leave(0)
} catch {
  Console.exit(for: error)
}
