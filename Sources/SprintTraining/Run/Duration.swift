/// Formats seconds for people: `3 d 4 h`, `2 h 5 min`, `1 min 7 s`, `12 s`.
package func duration(_ seconds: Double) -> String {
  // A billion years fit into a whole number of seconds.
  guard abs(seconds) < 1e16 else { return "?" }
  let whole = Int(seconds.rounded())
  if whole >= 86400 { return "\(whole / 86400) d \(whole % 86400 / 3600) h" }
  if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
  return whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
}
