import SprintKernels

/// Cuts a latent into patches: a row for each token, with columns by channel, then row and column within the patch.
///
/// - Parameters:
///   - latent: [C · S · S] one sample
///   - patches: [N, C p²]
func patchify<Element: MatrixElement>(
  _ latent: Vector<Float>, into patches: Matrix<Element>, _ configuration: ModelConfiguration
) {
  forEachPatchElement(configuration) { token, column, element in patches[token, column] = Element(latent[element]) }
}

/// The reverse of `patchify`. Every element has one place on either side, so each function is also the other's
/// backward.
func unpatchify(_ patches: Matrix<Float>, into latent: Vector<Float>, _ configuration: ModelConfiguration) {
  forEachPatchElement(configuration) { token, column, element in latent[element] = patches[token, column] }
}

@inline(__always)
private func forEachPatchElement(
  _ configuration: ModelConfiguration, _ body: (_ token: Int, _ column: Int, _ element: Int) -> Void
) {
  let (patch, side, grid) = (configuration.patch, configuration.side, configuration.grid)
  for token in 0..<configuration.tokens {
    let (top, left) = (token / grid * patch, token % grid * patch)
    for channel in 0..<configuration.channels {
      for y in 0..<patch {
        for x in 0..<patch {
          body(token, (channel * patch + y) * patch + x, (channel * side + top + y) * side + left + x)
        }
      }
    }
  }
}
