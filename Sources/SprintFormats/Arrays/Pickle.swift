import Foundation

/// Python's own format. Loading a pickle may run any program, so sprint never reads one.
package enum Pickle {
  /// Throws if the file is a pickle, whatever its name ends in. The message holds a command that converts it.
  package static func refuse(_ path: String) throws {
    if let kind = try? FileKind(path: path), let refusal = refusal(of: path, kind) { throw refusal }
  }

  /// The error of a pickle; nil for a file of another kind.
  static func refusal(of path: String, _ kind: FileKind) -> FileError? {
    conversion(of: path, kind).map {
      .unusable(path: path, problem: "\(kind.rawValue), \(reason); \(conversionPurpose): \($0)")
    }
  }

  /// Why no pickle is read.
  package static let reason = "which may run any program when it is loaded, so sprint does not read it"
  /// What the command does that converts a pickle.
  package static let conversionPurpose =
    "if you trust it, this command loads it, with whatever runs in it, and writes its tensors as safetensors, those of "
    + "the moving average if it has one"

  /// A command that writes the tensors of a pickle as safetensors; nil for a file of another kind. It also takes an npy
  /// array of Python's objects, in which numpy stores a pickle.
  package static func conversion(of path: String, _ kind: FileKind) -> String? {
    let load: [FileKind: String] = [
      .torch: "torch.load(open(a, 'rb'), map_location='cpu', weights_only=False)",
      .pickle: "pickle.load(open(a, 'rb'))",
      .npy: "numpy.load(a, allow_pickle=True).tolist()",
    ]
    return kind == .npy && !NPYSummary.hasObjects(path)
      ? nil
      : load[kind].map {
        "python3 -c \"\(program($0))\" \(ToldCommand.quoted(path)) \(ToldCommand.quoted(converted(path)))"
      }
  }

  /// A program of one line in which no character means something to a shell. `n` returns the tensors under the first
  /// name that checkpoints use, at any depth; `t` those, or else the table's own. A tensor, an array or a list of them
  /// that stands alone becomes `latents`. Tensors may share memory, which safetensors refuses, hence the copies.
  private static func program(_ load: String) -> String {
    [
      "import sys, pickle, numpy, torch, safetensors.torch as s", "a, b = sys.argv[1:]",
      "i = lambda d: i(d.state_dict()) if hasattr(d, 'state_dict') else dict(d.items()) if hasattr(d, 'items') else {}",
      "n = lambda d: next((r for k in '\(parts)'.split() if k in d and (r := t(d[k]))), None) or "
        + "next((r for v in d.values() if (r := n(i(v)))), {})",
      "t = lambda d: n(i(d)) or {str(k): torch.as_tensor(v) for k, v in i(d).items() if hasattr(v, '__array__')}",
      "l = lambda d: torch.as_tensor(d) if hasattr(d, '__array__') else torch.stack([torch.as_tensor(x) for x in d]) "
        + "if isinstance(d, (list, tuple)) and d and all(hasattr(x, '__array__') for x in d) "
        + "else sys.exit('no tensors in it')",
      "d = \(load)", "w = t(d) or {'latents': l(d)}",
      "s.save_file({k: (v.float() if v.is_floating_point() else v).detach().contiguous().clone() "
        + "for k, v in w.items()}, b)",
    ].joined(separator: "; ")
  }

  /// The names under which checkpoints keep their weights, the moving average first.
  private static let parts =
    "ema model_ema ema_model ema_state_dict state_dict_ema params_ema state_dict model_state_dict model module net "
    + "network params"

  /// The path with the ending of safetensors, of a file that does not exist yet.
  private static func converted(_ path: String) -> String {
    ToldCommand.newPath((path as NSString).deletingPathExtension, "converted", "safetensors")
  }
}
