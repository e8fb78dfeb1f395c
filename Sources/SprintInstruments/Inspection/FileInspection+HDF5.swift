import SprintFormats

extension FileInspection {
  /// An HDF5 file of others: its groups and data sets, and what it lacks for a data set.
  static func hdf5(_ file: HDF5File, _ importHint: (String) -> String?) throws -> FileInspection {
    let items = try file.items(most: mostItems)
    let (sets, groups) = (items.filter { $0.shape != nil }.count, items.filter { $0.kind == "group" }.count)
    let more = items.count == mostItems ? " among the first \(mostItems) items" : ""
    return FileInspection(
      what: "HDF5 file, \(count(sets, "data set")) and \(count(groups, "group"))\(more)",
      notes: [try lack(file), try hint(file, importHint)].compactMap(\.self),
      entries: items.map { item in
        let parts = item.path.split(separator: "/")
        return Entry(
          name: item.kind == "group" ? "\(parts.last ?? "")/" : String(parts.last ?? ""),
          type: item.kind == "group" ? nil : item.kind, shape: item.shape, depth: parts.count - 1)
      })
  }

  private static let mostItems = 10_000

  private static func lack(_ file: HDF5File) throws -> String {
    let labels = file.has("/labels") ? "" : ", and /labels [N]"
    return "no data set of sprint, which has /latents [N, C, S, S] or /moments [N, 2C, S, S]\(labels)"
  }

  /// Data sets of samples in groups may be REPA-E's.
  private static func hint(_ file: HDF5File, _ importHint: (String) -> String?) throws -> String? {
    file.has("/dataset.json") ? importHint(file.path) : nil
  }
}
