import SprintKernels

/// Cuts a latent into patches: a row for each token, with columns by channel, then row and column within the patch.
///
/// - Parameters:
///   - latent: [C · S · S] one sample
///   - patches: [patches of a latent, C p²]
func patchify<Element: MatrixElement>(
  _ latent: Vector<Float>, into patches: Matrix<Element>, _ configuration: ModelConfiguration
) {
  forEachPatchElement(configuration, .channelFirst) { patch, column, element in
    patches[patch, column] = Element(latent[element])
  }
}

/// Puts a token's outputs, in the network's order of them, into a latent.
func unpatchify(_ outputs: Matrix<Float>, into latent: Vector<Float>, _ configuration: ModelConfiguration) {
  forEachPatchElement(configuration, configuration.outputOrder) { patch, column, element in
    latent[element] = outputs[patch, column]
  }
}

/// doutputs = …, from `unpatchify`, which gives every element one place.
func unpatchifyBackward<Element: MatrixElement>(
  _ latent: Vector<Float>, into outputs: Matrix<Element>, _ configuration: ModelConfiguration
) {
  forEachPatchElement(configuration, configuration.outputOrder) { patch, column, element in
    outputs[patch, column] = Element(latent[element])
  }
}

@inline(__always)
private func forEachPatchElement(
  _ configuration: ModelConfiguration, _ order: OutputOrder,
  _ body: (_ patch: Int, _ column: Int, _ element: Int) -> Void
) {
  let (patch, side, grid, channels) = (
    configuration.patch, configuration.side, configuration.grid, configuration.channels
  )
  for place in 0..<configuration.patches {
    let (top, left) = (place / grid * patch, place % grid * patch)
    for channel in 0..<channels {
      for y in 0..<patch {
        for x in 0..<patch {
          let column =
            order == .channelFirst ? (channel * patch + y) * patch + x : (y * patch + x) * channels + channel
          body(place, column, (channel * side + top + y) * side + left + x)
        }
      }
    }
  }
}
