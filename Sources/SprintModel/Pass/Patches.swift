import SprintKernels

/// Cuts latents into patches: row = token, columns = channel, then the patch's rows and columns.
///
/// - Parameters:
///   - latent: [C · S · S] one sample
///   - patches: [N, C p²]
func patchify(_ latent: Vector, into patches: Matrix, _ c: ModelConfiguration) {
  forEachPatchElement(c) { token, column, element in patches[token, column] = latent[element] }
}

/// The reverse of `patchify`; as a patch element has one place only, each is also the other's backward pass.
func unpatchify(_ patches: Matrix, into latent: Vector, _ c: ModelConfiguration) {
  forEachPatchElement(c) { token, column, element in latent[element] = patches[token, column] }
}

@inline(__always)
private func forEachPatchElement(_ c: ModelConfiguration, _ body: (_ token: Int, _ column: Int, _ element: Int) -> Void)
{
  for token in 0..<c.tokens {
    let (top, left) = (token / c.grid * c.patch, token % c.grid * c.patch)
    for channel in 0..<c.channels {
      for y in 0..<c.patch {
        for x in 0..<c.patch {
          body(token, (channel * c.patch + y) * c.patch + x, (channel * c.side + top + y) * c.side + left + x)
        }
      }
    }
  }
}
