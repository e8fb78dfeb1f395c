import Foundation

/// Python's own format, which may run any program and is never read.
package enum Pickle {
  private static let endings = ["pt", "pth", "pkl", "latent", "tar", "ckpt", "bin"]

  /// Whether a file's name is one that pickles have.
  package static func isOne(_ path: String) -> Bool { endings.contains((path as NSString).pathExtension.lowercased()) }

  /// What to do instead.
  package static let remedy =
    "a pickle, which may run any program and is not read; turn it into safetensors with Python: import torch, safetensors.torch as s; "
    + "d = torch.load('IN.pt', map_location='cpu'); s.save_file({k: v.float().contiguous() for k, v in d.items()}, 'OUT.safetensors')"
}
