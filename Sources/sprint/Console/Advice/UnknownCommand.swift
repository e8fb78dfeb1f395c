import ArgumentParser
import SprintTraining

/// The name of a command that does not exist.
enum UnknownCommand {
  /// Throws if the first words after the program's name do not lead to a command. The parser would speak of an
  /// unexpected argument, or of the options behind it, and suggest nothing.
  static func check(_ words: some Sequence<String>) throws {
    var path: [any ParsableCommand.Type] = [Sprint.self]
    for word in words where word != "help" {
      let commands = path.last?.configuration.subcommands ?? []
      guard !word.hasPrefix("-"), !commands.isEmpty else { return }
      guard let next = commands.first(where: { $0.configuration.commandName == word }) else {
        throw ValidationError(message(word, in: path))
      }
      path.append(next)
    }
  }

  private static func message(_ word: String, in path: [any ParsableCommand.Type]) -> String {
    let (own, all) = (name(path), names(below: [Sprint.self]))
    let closest = all.map { Suggestion($0.name, shown: "\($0.parent) \($0.name)", isHere: $0.parent == own) }
      .closest(to: word)
    let question =
      closest.isEmpty
      ? "; it has \(all.filter { $0.parent == own }.map(\.name).joined(separator: ", "))" : closest.question
    return "`\(word)` is not a command of \(own)\(question)"
  }

  private static func name(_ path: [any ParsableCommand.Type]) -> String {
    path.compactMap { $0.configuration.commandName }.joined(separator: " ")
  }

  /// Returns the names of all commands below one, each with the words that stand before it.
  private static func names(below path: [any ParsableCommand.Type]) -> [(parent: String, name: String)] {
    (path.last?.configuration.subcommands ?? []).flatMap { command in
      [(name(path), command.configuration.commandName ?? "")] + names(below: path + [command])
    }
  }
}
