import Foundation

extension HDF5File {
  /// A command that copies what a file holds with h5py, whose library is newer, in a format that this one reads.
  static func copying(_ path: String) -> String {
    let out = ToldCommand.newPath((path as NSString).deletingPathExtension + "-copy", "copy", "h5")
    return "python3 -c \"import sys, h5py; a, b = h5py.File(sys.argv[1]), h5py.File(sys.argv[2], 'x', "
      + "libver=('earliest', 'v110')); b.attrs.update(a.attrs); a.visititems(lambda k, v: "
      + "b.create_dataset(k, data=v[()]).attrs.update(v.attrs) if hasattr(v, 'dtype') else None)\" "
      + "\(ToldCommand.quoted(path)) \(ToldCommand.quoted(out))"
  }
}
