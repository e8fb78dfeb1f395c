extension LatentProperties {
  /// Returns the first property that differs from `other`, with both values: `scale` 1 instead of 0.18215. Nil where
  /// the numbers of both mean the same, as far as both say: an autoencoder that is not named may be any.
  package func difference(from other: LatentProperties) -> String? {
    func text<Value: Equatable>(_ name: String, _ own: Value, _ other: Value) -> String? {
      own == other ? nil : "`\(name)` \(own) instead of \(other)"
    }
    func channel(_ name: String, _ own: [Float], _ other: [Float]) -> String? {
      guard own.count == other.count else { return text("channels", own.count, other.count) }
      return own.indices.lazy.compactMap { channel in
        text(name, own[channel], other[channel]).map { own.count == 1 ? $0 : "\($0) in channel \(channel)" }
      }.first
    }
    return text("kind", kind, other.kind) ?? channel("scale", scale, other.scale)
      ?? channel("shift", shift, other.shift)
      ?? (kind == "pixels" ? text("pixel_range", pixelRange, other.pixelRange) : nil)
      ?? (vae.isEmpty || other.vae.isEmpty ? nil : text("vae", vae, other.vae))
  }
}
