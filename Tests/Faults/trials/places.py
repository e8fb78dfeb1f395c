"""Disks and folders that a trial can fill or freeze. Needs root."""

import subprocess


class Places:
    """Small disks and frozen folders, which are taken back at the end."""

    def __init__(self):
        self.mounts, self.frozen = [], []

    def mount(self, path, megabytes):
        """Mounts a small disk."""
        path.mkdir()
        options = f"size={int(megabytes * 1024)}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
        self.mounts.append(path)
        return path

    def freeze(self, path):
        """Makes a folder read only, even for root; false if its file system cannot."""
        result = subprocess.run(["chattr", "+i", str(path)], capture_output=True)
        if result.returncode == 0:
            self.frozen.append(path)
        return result.returncode == 0

    def thaw(self):
        for path in self.frozen:
            subprocess.run(["chattr", "-i", str(path)], capture_output=True)
        self.frozen = []

    def unmount(self):
        for path in self.mounts:
            subprocess.run(["umount", "-l", str(path)], capture_output=True)
        self.mounts = []


def fill(disk, leaving=0):
    """Takes what is left of a disk, but for some bytes; returns the file that does."""
    path = disk / "filler"
    with open(path, "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        file.truncate(max(0, path.stat().st_size - leaving))
    return path
