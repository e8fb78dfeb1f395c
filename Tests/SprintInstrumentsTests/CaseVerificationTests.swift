import Foundation
import SprintInstruments
import SprintKernels
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct CaseVerificationTests {
  private static let folder = (#filePath as NSString).deletingLastPathComponent + "/../Reference"
  static let cases = ["cases", "cases-haste", "cases-srdit"].flatMap { name in
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []).sorted().map {
      "\(folder)/\(name)/\($0)"
    }
  }

  @Test("Every case of the PyTorch reference is repeated, tensor by tensor", arguments: cases)
  func agrees(path: String) throws {
    for group in try CaseVerification(path: path, workers: Workers(2)).run() {
      #expect(group.agrees, "\(group.name): \(group.error) of at most \(group.tolerance), \(group.worst)")
    }
  }

  @Test("All cases of the reference are there")
  func casesExist() { #expect(Self.cases.count >= 20) }

  @Test("A case with changed numbers does not agree, and a truncated one is an error")
  func changed() throws {
    let temporary = try TemporaryFolder()
    let path = temporary.file("changed.safetensors")
    let first = try #require(Self.cases.first)
    var data = try #require(FileManager.default.contents(atPath: first))
    // Changes the exponents of the last thousand floats. Tensors lie in the order of size and name.
    for offset in Swift.stride(from: data.count - 4001, to: data.count, by: 4) { data[offset] ^= 0x10 }
    try data.write(to: URL(fileURLWithPath: path))
    let groups = try CaseVerification(path: path, workers: Workers(1)).run()
    #expect(groups.contains { !$0.agrees })
    try data.dropLast(1).write(to: URL(fileURLWithPath: path))
    #expect(throws: (any Error).self) { try CaseVerification(path: path, workers: Workers(1)) }
  }
}
