import Foundation
import SprintFormats
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct SampleLabelsTests {
  @Test("Balanced labels go round, random ones are as frequent as they should be; neither depends on the count")
  func kinds() throws {
    let classes = [2, 3, 5, 9]
    #expect(try SampleLabels.balanced.labels(6, of: classes, seed: 1) == [2, 3, 5, 9, 2, 3])
    let random = try SampleLabels.random.labels(8000, of: classes, seed: 1)
    // Four deviations of a binomial number are 155.
    for label in classes { #expect(abs(random.count { $0 == label } - 2000) < 155) }
    #expect(try Array(random.prefix(50)) == SampleLabels.random.labels(50, of: classes, seed: 1))
    #expect(try Array(random.prefix(50)) != SampleLabels.random.labels(50, of: classes, seed: 2))
  }

  @Test("A file gives the labels, and one that names no class is an error with its place")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("labels.txt")
    func labels(_ text: String) throws -> [Int] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return try SampleLabels(path).labels(5, of: [0, 1, 2], seed: 0)
    }
    #expect(try labels("2, 0\n1\n") == [2, 0, 1, 2, 0])
    for (text, problem) in [
      ("0 1 7", "label 2"), ("0 x", "`x`"), ("", "0 bytes"), (" \n", "no class"), ("-1", "`-1`"),
      ("99999999999999999999999", "label 0"),
    ] {
      #expect("\(text)") { try labels(text) } throws: { "\($0)".contains(problem) }
    }
    #expect(SampleLabels("random") == .random && SampleLabels("balanced") == .balanced)
  }
}
