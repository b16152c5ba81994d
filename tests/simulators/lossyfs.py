"""A file system whose power can be cut: FUSE over ``/dev/fuse``, spoken by this module itself.

``python -m tests.simulators.lossyfs ROOT MOUNT [options]`` shows the files of ``ROOT/live`` at
``MOUNT``. What a program writes stays volatile until a sync of that file; names (create, rename,
unlink, …) are one ordered journal that any sync commits, as on ext4. SIGUSR1 cuts the power: every
later operation fails, a random part of the unsynced blocks (some torn at 512 bytes) and a random
beginning of the journal reach ``ROOT/durable``, which is what the next start would find. SIGTERM
ends cleanly with everything durable. ``ROOT/stats.json`` says what was synced, dropped and kept.

Options make it worse than a good disk: ``--lie`` answers syncs without doing them, ``--fail-sync N``
fails the N-th with EIO once and drops the pages as Linux does, ``--room BYTES`` is the disk's size.

Needs the right to mount (root) and ``/dev/fuse``; no library. Known limits: one journal of names for
the whole disk, no order between files but by syncs, one thread.
Source: Linux, include/uapi/linux/fuse.h, version 7.31.
"""

import argparse
import contextlib
import ctypes
import errno
import json
import os
import random
import shutil
import signal
import stat
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

BLOCK = 4096
SECTOR = 512
TORN = 0.2
"""How often a block that was not synced reaches the disk in part."""

_MAX_WRITE = 128 * 1024
_BUFFER = _MAX_WRITE + 4096
_ROOT_ID = 1
_FOREVER = 3600
_MINOR = 31
_BIG_WRITES = 1 << 5
_MODE, _UID, _GID, _SIZE = 1, 2, 4, 8
_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_TIME = 1_700_000_000


class PowerCut(Exception):
    """SIGUSR1 came."""


class Ended(Exception):
    """SIGTERM came, or it was unmounted."""


@dataclass(eq=False)
class Node:
    """A file or folder; ``durable`` are the bytes that are on the disk."""

    number: int
    mode: int
    data: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)
    children: dict[bytes, "Node"] = field(default_factory=dict)
    links: int = 1

    @property
    def folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


@dataclass
class Faults:
    """How this disk is worse than a good one."""

    lie: bool = False
    fail_sync: int = 0
    room: int = 0


class Disk:
    """The files in memory, and the second picture of what is durable."""

    def __init__(self, faults: Faults, chance: random.Random) -> None:
        """Start empty; ``chance`` decides what a cut leaves."""
        self.faults = faults
        self._chance = chance
        self.nodes: dict[int, Node] = {}
        self._next = _ROOT_ID
        self.root = self.new(stat.S_IFDIR | 0o755)
        self.names: dict[int, dict[bytes, Node]] = {self.root.number: {}}
        """The durable names: folder's number -> name -> node."""
        self.journal: list[Callable[[], None]] = []
        self.used = 0
        self.stats: dict[str, int] = {
            "syncs": 0,
            "writes": 0,
            "bytes": 0,
            "failed_syncs": 0,
            "no_room": 0,
        }

    def new(self, mode: int) -> Node:
        node = Node(number=self._next, mode=mode)
        self._next += 1
        self.nodes[node.number] = node
        return node

    def load(self, place: Path, folder: Node | None = None) -> None:
        """Take in what lies at ``place``; all of it is durable."""
        folder = folder or self.root
        for path in sorted(place.iterdir()):
            node = self.new(path.lstat().st_mode)
            self.link(folder, os.fsencode(path.name), node)
            if path.is_dir():
                self.load(path, node)
            else:
                node.data = bytearray(path.read_bytes())
                node.durable = bytearray(node.data)
                self.used += len(node.data)
        self.commit_names()

    def link(self, folder: Node, name: bytes, node: Node) -> None:
        folder.children[name] = node
        number = folder.number

        def apply() -> None:
            self.names.setdefault(number, {})[name] = node

        self.journal.append(apply)

    def unlink(self, folder: Node, name: bytes) -> None:
        del folder.children[name]
        number = folder.number

        def apply() -> None:
            self.names.setdefault(number, {}).pop(name, None)

        self.journal.append(apply)

    def rename(self, folder: Node, name: bytes, into: Node, fresh: bytes) -> None:
        """Move in one step: the journal has it whole or not at all."""
        node = folder.children.pop(name)
        into.children[fresh] = node
        first, second = folder.number, into.number

        def apply() -> None:
            self.names.setdefault(first, {}).pop(name, None)
            self.names.setdefault(second, {})[fresh] = node

        self.journal.append(apply)

    def write(self, node: Node, offset: int, data: bytes) -> None:
        end = offset + len(data)
        self.make_room(end - len(node.data))
        if len(node.data) < end:
            node.data.extend(bytes(end - len(node.data)))
        node.data[offset:end] = data
        node.dirty.update(range(offset // BLOCK, (end - 1) // BLOCK + 1))
        self.stats["writes"] += 1
        self.stats["bytes"] += len(data)

    def truncate(self, node: Node, size: int) -> None:
        self.make_room(size - len(node.data))
        if size < len(node.data):
            del node.data[size:]
        else:
            node.data.extend(bytes(size - len(node.data)))
        node.dirty.add(max(0, size - 1) // BLOCK)

    def make_room(self, grows: int) -> None:
        if self.faults.room and grows > 0 and self.used + grows > self.faults.room:
            self.stats["no_room"] += 1
            raise OSError(errno.ENOSPC, "no room")
        self.used += max(0, grows)

    def sync(self, node: Node) -> None:
        self.stats["syncs"] += 1
        if self.faults.fail_sync and self.stats["syncs"] == self.faults.fail_sync:
            self.stats["failed_syncs"] += 1
            node.dirty.clear()  # Linux: told once, the pages count as clean
            raise OSError(errno.EIO, "sync failed")
        if self.faults.lie:
            return
        self.commit_names()
        for number in node.dirty:
            self._keep(node, number, BLOCK)
        _resize(node.durable, len(node.data))
        node.dirty.clear()

    def commit_names(self, count: int | None = None) -> None:
        for apply in self.journal[:count]:
            apply()
        del self.journal[:count]

    def _keep(self, node: Node, number: int, size: int) -> None:
        start = number * BLOCK
        piece = node.data[start : start + size]
        if len(node.durable) < start + len(piece):
            _resize(node.durable, start + len(piece))
        node.durable[start : start + len(piece)] = piece

    def cut(self) -> None:
        """Let a random part of what was not synced reach the disk."""
        dirty = kept = 0
        pending = len(self.journal)
        self.commit_names(self._chance.randint(0, pending))
        for node in self.nodes.values():
            for number in sorted(node.dirty):
                dirty += 1
                if self._chance.random() < 0.5:
                    torn = self._chance.random() < TORN
                    self._keep(node, number, SECTOR * self._chance.randrange(8) if torn else BLOCK)
                    kept += 1
        self.stats |= {"dirty_blocks": dirty, "kept_blocks": kept, "names_pending": pending}

    def settle(self) -> None:
        """Make everything durable: a clean end."""
        self.commit_names()
        for node in self.nodes.values():
            node.durable = bytearray(node.data)

    def save(self, place: Path) -> None:
        """Write the durable picture to the new folder ``place``."""
        shutil.rmtree(place, ignore_errors=True)
        self._save(self.root, place)

    def _save(self, folder: Node, place: Path) -> None:
        place.mkdir()
        place.chmod(stat.S_IMODE(folder.mode))
        for name, node in self.names.get(folder.number, {}).items():
            path = place / os.fsdecode(name)
            if node.folder:
                self._save(node, path)
            else:
                path.write_bytes(node.durable)
                path.chmod(stat.S_IMODE(node.mode))


class Kernel:
    """Answers the kernel's requests out of a ``Disk``."""

    def __init__(self, disk: Disk, device: int) -> None:
        """Answer on ``device``."""
        self._disk = disk
        self._device = device
        self._calls: dict[int, Callable[[Node | None, bytes], bytes]] = {
            1: self._lookup, 3: self._getattr, 4: self._setattr, 9: self._mkdir,
            10: self._unlink, 11: self._unlink, 12: self._rename, 14: self._open, 15: self._read,
            16: self._write, 17: self._statfs, 18: self._nothing, 20: self._fsync,
            25: self._nothing, 26: self._init, 27: self._open, 28: self._readdir,
            29: self._nothing, 30: self._fsync, 34: self._nothing, 35: self._create,
            43: self._fallocate, 45: self._rename2,
        }  # fmt: skip

    def serve(self) -> None:
        """Answer until a signal or the unmount ends it."""
        while True:
            try:
                request = os.read(self._device, _BUFFER)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise Ended from error
                if error.errno in {errno.EINTR, errno.EAGAIN, errno.ENOENT}:
                    continue
                raise
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        _, opcode, unique, number, *_ = _IN.unpack_from(request)
        if opcode in {2, 36, 42}:  # forget, interrupt, batch forget: no answer
            return
        if opcode == 38:  # destroy
            raise Ended
        call = self._calls.get(opcode)
        error, body = 0, b""
        try:
            if call is None:
                error = -errno.ENOSYS
            else:
                body = call(self._disk.nodes.get(number), request[_IN.size :])
        except OSError as found:
            error = -(found.errno or errno.EIO)
        with contextlib.suppress(FileNotFoundError):  # the request was given up
            os.write(self._device, _OUT.pack(_OUT.size + len(body), error, unique) + body)

    def _init(self, _node: Node | None, _body: bytes) -> bytes:
        return struct.pack(
            "<IIIIHHIIHHI28x", 7, _MINOR, 65_536, _BIG_WRITES, 12, 10, _MAX_WRITE, 1, 0, 0, 0
        )

    def _attributes(self, node: Node) -> bytes:
        size = len(node.data)
        return _ATTR.pack(
            node.number, size, (size + 511) // 512, _TIME, _TIME, _TIME, 0, 0, 0,
            node.mode, node.links, os.getuid(), os.getgid(), 0, BLOCK, 0,
        )  # fmt: skip

    def _entry(self, node: Node) -> bytes:
        return struct.pack("<QQQQII", node.number, 0, _FOREVER, 0, 0, 0) + self._attributes(node)

    def _lookup(self, folder: Node | None, body: bytes) -> bytes:
        return self._entry(_child(folder, _name(body)))

    def _getattr(self, node: Node | None, _body: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self._attributes(_there(node))

    def _setattr(self, node: Node | None, body: bytes) -> bytes:
        node = _there(node)
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        mode = struct.unpack_from("<I", body, 68)[0]
        if valid & _SIZE:
            self._disk.truncate(node, size)
        if valid & _MODE:
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return self._getattr(node, b"")

    def _mkdir(self, folder: Node | None, body: bytes) -> bytes:
        mode, _ = struct.unpack_from("<II", body)
        node = self._disk.new(stat.S_IFDIR | stat.S_IMODE(mode))
        self._disk.link(_there(folder), _name(body[8:]), node)
        return self._entry(node)

    def _create(self, folder: Node | None, body: bytes) -> bytes:
        _, mode, _, _ = struct.unpack_from("<IIII", body)
        node = self._disk.new(stat.S_IFREG | stat.S_IMODE(mode))
        self._disk.link(_there(folder), _name(body[16:]), node)
        return self._entry(node) + struct.pack("<QII", node.number, 0, 0)

    def _open(self, node: Node | None, _body: bytes) -> bytes:
        return struct.pack("<QII", _there(node).number, 0, 0)

    def _read(self, node: Node | None, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(_there(node).data[offset : offset + size])

    def _write(self, node: Node | None, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        self._disk.write(_there(node), offset, body[40 : 40 + size])
        return struct.pack("<II", size, 0)

    def _fsync(self, node: Node | None, _body: bytes) -> bytes:
        self._disk.sync(_there(node))
        return b""

    def _fallocate(self, node: Node | None, body: bytes) -> bytes:
        _, offset, length, mode = struct.unpack_from("<QQQI", body)
        node = _there(node)
        if mode:
            raise OSError(errno.EOPNOTSUPP, "not here")
        if offset + length > len(node.data):
            self._disk.truncate(node, offset + length)
        return b""

    def _unlink(self, folder: Node | None, body: bytes) -> bytes:
        name = _name(body)
        node = _child(folder, name)
        if node.children:
            raise OSError(errno.ENOTEMPTY, "not empty")
        self._disk.unlink(_there(folder), name)
        node.links -= 1
        return b""

    def _rename(self, folder: Node | None, body: bytes) -> bytes:
        return self._move(folder, struct.unpack_from("<Q", body)[0], body[8:])

    def _rename2(self, folder: Node | None, body: bytes) -> bytes:
        into, flags = struct.unpack_from("<QI", body)
        if flags:
            raise OSError(errno.EINVAL, "not here")
        return self._move(folder, into, body[16:])

    def _move(self, folder: Node | None, into: int, names: bytes) -> bytes:
        old, fresh, *_ = names.split(b"\0")
        _child(folder, old)
        self._disk.rename(_there(folder), old, _there(self._disk.nodes.get(into)), fresh)
        return b""

    def _readdir(self, node: Node | None, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        folder = _there(node)
        found = [(b".", folder), (b"..", folder), *folder.children.items()]
        out = b""
        for at, (name, child) in enumerate(found[offset:], offset + 1):
            kind = stat.S_IFMT(child.mode) >> 12
            entry = struct.pack("<QQII", child.number, at, len(name), kind) + name
            entry += bytes(-len(entry) % 8)
            if len(out) + len(entry) > size:
                break
            out += entry
        return out

    def _statfs(self, _node: Node | None, _body: bytes) -> bytes:
        room = self._disk.faults.room or 8 * 1024**3
        free = max(0, room - self._disk.used) // BLOCK
        return struct.pack(
            "<QQQQQIIII24x", room // BLOCK, free, free, 10**6, 10**6, BLOCK, 255, BLOCK, 0
        )

    def _nothing(self, _node: Node | None, _body: bytes) -> bytes:
        return b""


def _there(node: Node | None) -> Node:
    if node is None:
        raise OSError(errno.ENOENT, "gone")
    return node


def _child(folder: Node | None, name: bytes) -> Node:
    found = _there(folder).children.get(name)
    if found is None:
        raise OSError(errno.ENOENT, "no such name")
    return found


def _name(body: bytes) -> bytes:
    return body.partition(b"\0")[0]


def _resize(data: bytearray, size: int) -> None:
    if size < len(data):
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))


def mount(place: Path) -> int:
    """Mount at ``place`` and return the device to answer on.

    Raises:
        OSError: no right to mount, or no ``/dev/fuse``.
    """
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(b"lossyfs", os.fsencode(place), b"fuse.lossyfs", 0, options.encode())
    if done != 0:
        found = ctypes.get_errno()
        os.close(device)
        raise OSError(found, os.strerror(found), str(place))
    return device


def unmount(place: Path) -> None:
    """Detach what is mounted at ``place``, if anything is."""
    ctypes.CDLL(None).umount2(os.fsencode(place), 2)


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("place", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lie", action="store_true")
    parser.add_argument("--fail-sync", type=int, default=0)
    parser.add_argument("--room", type=int, default=0)
    wanted = parser.parse_args()
    faults = Faults(lie=wanted.lie, fail_sync=wanted.fail_sync, room=wanted.room)
    disk = Disk(faults, random.Random(wanted.seed))
    disk.load(wanted.root / "live")

    def cut(_signal: int, _frame: FrameType | None) -> None:
        raise PowerCut

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise Ended

    signal.signal(signal.SIGUSR1, cut)
    signal.signal(signal.SIGTERM, end)
    device = mount(wanted.place)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        Kernel(disk, device).serve()
    except PowerCut:
        os.close(device)  # every waiting and later operation fails from here on
        disk.cut()
    except Ended:
        os.close(device)
        disk.settle()
    finally:
        unmount(wanted.place)
    disk.save(wanted.root / "durable")
    (wanted.root / "stats.json").write_text(json.dumps(disk.stats))


if __name__ == "__main__":
    main()
