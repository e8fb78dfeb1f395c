import Foundation

/// Python's own format. Loading a pickle may run any program, so sprint never reads one.
package enum Pickle {
  private static let endings = ["pt", "pth", "pkl", "latent", "tar", "ckpt", "bin"]

  /// Whether a file's name ends as those of pickles do.
  package static func isOne(_ path: String) -> Bool { endings.contains((path as NSString).pathExtension.lowercased()) }

  /// The message about a pickle, with a way to convert it.
  package static let remedy =
    "a pickle, which may run any program, so sprint does not read it; convert it to safetensors with Python: "
    + "import torch, safetensors.torch as s; d = torch.load('IN.pt', map_location='cpu'); "
    + "s.save_file({k: v.float().contiguous() for k, v in d.items()}, 'OUT.safetensors')"
}
