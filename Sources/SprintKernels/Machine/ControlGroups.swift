import Foundation

/// The control groups of this process and the groups around them, by which containers limit memory and time.
struct ControlGroups {
  /// A group's path below the folder of its interface, which has two versions.
  struct Group {
    let isSecondVersion: Bool
    let path: String
  }

  /// The groups of a controller, such as `memory` or `cpu`, from the outermost inwards. In a container only the
  /// outermost folder may be visible.
  let groups: [Group]

  /// - Parameters:
  ///   - controller: its name in version 1 of the interface; version 2 has one tree for all
  ///   - text: the content of `/proc/self/cgroup`
  init(of controller: String, in text: String) {
    groups = text.split(separator: "\n").flatMap { line -> [Group] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains(controller[...]) else { return [] }
      let parts = fields[2].split(separator: "/")
      return (0...parts.count).map { count in
        Group(isSecondVersion: isSecond, path: parts.prefix(count).map { "/" + $0 }.joined())
      }
    }
  }
}
