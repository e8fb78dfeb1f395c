import SprintTraining
import SprintKernels
BLAS.useOneThread()
for p in CommandLine.arguments.dropFirst() {
  let v = try CaseVerification(path: p, workers: Workers(2))
  print(p.split(separator: "/").last!)
  for g in try v.run() { print("  ", g.name, g.error, g.agrees, g.worst) }
}
