import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// The command that a message about a pickle prints makes a file of its tensors.
@Suite(.enabled(if: Python.has("torch", "safetensors"), Comment(rawValue: Python.lacks("torch"))))
struct PickleTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Makes a pickle: `save` sees `w`, two tensors of sevens, `z`, the same of zeros, and the path `f`.
  private func make(_ name: String, _ save: String) throws -> String {
    let script = """
      import sys, argparse, collections, pickle, numpy as np, torch
      f = sys.argv[1]
      def named(v): return collections.OrderedDict(a=torch.full((2, 3), float(v)), b=torch.full((4,), float(v)))
      w, z = named(7), named(0)
      \(save)
      """
    let made = try Python.run(["-c", script, folder.file(name)])
    try #require(made.code == 0, "\(made.errors)")
    return folder.file(name)
  }

  /// Runs the command of the message with the tests' Python, and opens the file that it writes.
  private func converted(_ path: String) throws -> SafetensorsFile {
    let kind = try FileKind(path: path)
    let command = try #require(Pickle.conversion(of: path, kind))
    #expect(command.hasPrefix("python3 -c \""))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "'\(Python.path)'" + command.dropFirst("python3".count)]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let ending = path.hasSuffix(".safetensors") ? "-converted.safetensors" : ".safetensors"
    return try SafetensorsFile(path: (path as NSString).deletingPathExtension + ending)
  }

  @Test("The command never writes over a file that is there", arguments: ["w.pt", "v.safetensors"])
  func existingTargets(name: String) throws {
    let path = try make(name, "torch.save(w, f)")
    let stem = (path as NSString).deletingPathExtension
    for out in [".safetensors", "-converted.safetensors", "-converted-2.safetensors"] {
      guard !FileManager.default.fileExists(atPath: stem + out) else { continue }
      #expect(Pickle.conversion(of: path, .torch)?.hasSuffix(" '\(stem)\(out)'") == true)
      try Data("mine".utf8).write(to: URL(fileURLWithPath: stem + out))
    }
  }

  @Test(
    "Where nothing is a tensor, the command says so and writes nothing",
    arguments: ["{'a': 1, 'b': 'x'}", "[w, 3, 4]", "[]", "'text'"])
  func noTensors(value: String) throws {
    let path = try make("x.pkl", "pickle.dump(\(value), open(f, 'wb'))")
    let command = try #require(Pickle.conversion(of: path, .pickle))
    let program = try #require(command.split(separator: "\"").dropFirst().first)
    let outcome = try Python.run(["-c", String(program), path, folder.file("x.safetensors")])
    #expect(outcome.code == 1 && outcome.errors == "no tensors in it\n", "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("x.safetensors")))
  }

  @Test(
    "The weights of a checkpoint are found however deep they lie, the average before others",
    arguments: [
      ("flat.pt", "torch.save(w, f)"), ("flat with 'quotes' and $HOME.bin", "torch.save(dict(w), f)"),
      ("sit.pt", "torch.save({'model': z, 'ema': w, 'opt': {'state': {0: w}}, 'args': argparse.Namespace(a=1)}, f)"),
      ("under.pth", "torch.save({'state_dict': {'model': z, 'ema': w}, 'epoch': 3}, f)"),
      ("old.ckpt", "torch.save({'ema_model': w, 'model': z}, f, _use_new_zipfile_serialization=False)"),
      ("deep.pt", "torch.save({'state': {'model': {'net': w}}, 'step': torch.tensor(3)}, f)"),
      ("deeper.pt", "torch.save({'x': {'y': {'model': z, 'ema': w}}, 'n': torch.tensor(1), 'opt': {'state': {}}}, f)"),
      ("state.ckpt", "torch.save({'epoch': 3, 'state_dict': w}, f)"),
      ("model.safetensors", "torch.save({'ema': w}, f)"),
      ("half.pt", "torch.save({k: v.half() for k, v in w.items()}, f)"),
      ("parameters.pt", "torch.save({k: torch.nn.Parameter(v) for k, v in w.items()}, f)"),
      ("numpy.pkl", "pickle.dump({k: v.numpy() for k, v in w.items()}, open(f, 'wb'))"),
      ("text.pkl", "pickle.dump({k: v.numpy() for k, v in w.items()}, open(f, 'wb'), protocol=0)"),
      ("objects.npy", "np.save(f, np.array({k: v.numpy() for k, v in w.items()}, dtype=object))"),
    ])
  func weights(name: String, save: String) throws {
    let file = try converted(make(name, save))
    #expect(file.entries.keys.sorted() == ["a", "b"])
    #expect(try file.floats("a", shape: [2, 3]) == Array(repeating: 7, count: 6))
  }

  @Test("Views that share memory become tensors of their own; whole numbers stay whole")
  func otherTensors() throws {
    let shared = try converted(
      make("shared.pt", "x = torch.arange(6.).reshape(2, 3); torch.save({'x': x, 't': x.t(), 'n': torch.arange(3)}, f)")
    )
    #expect(try shared.floats("t", shape: [3, 2]) == [0, 3, 1, 4, 2, 5])
    #expect(try shared.integers("n") == [0, 1, 2])
  }

  @Test(
    "A tensor or a list of arrays that stands alone becomes `latents`",
    arguments: [
      ("1.latent", "torch.save(torch.zeros(2, 3), f)"),
      ("2.latent", "pickle.dump(np.zeros((2, 3), 'f4'), open(f, 'wb'))"),
      ("3.pt", "torch.save([torch.zeros(3), torch.zeros(3)], f)"),
    ])
  func latents(name: String, save: String) throws {
    #expect(try converted(make(name, save)).entry("latents").shape == [2, 3])
  }

  @Test("Every reader that meets a pickle says so, whatever its name ends in", arguments: ["x.npy", "x.npz", "x.h5"])
  func refusals(name: String) throws {
    let path = try make(name, "torch.save(w, f)")
    let readers: [(String) throws -> Any] = [{ try NPYArray(path: $0) }, { try HDF5File(reading: $0) }]
    for read in readers {
      #expect { _ = try read(path) } throws: {
        "\($0)".contains("weights_only=False") && "\($0)".contains("if you trust")
      }
    }
  }
}
