"""What an escaped snippet would try next, as data: each item is code for an unconfined interpreter inside a child.

An item leaves True in `result` when it got what it wanted. `call(name, *arguments)` makes a raw system call and raises
OSError; `facts` holds what the test prepared outside: process ids, ports, a canary file. Items with `control` do no
harm, and are also run in an ordinary process, where they must succeed: an attack that cannot work proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    name: str
    code: str
    control: bool = False


BATTERY = (
    # files
    Attack("read a file", "result = b'root' in open('/etc/passwd', 'rb').read()", control=True),
    Attack(
        "read a file by openat2", "result = call('openat2', -100, b'/etc/passwd\\0', bytes(24), 24) >= 0", control=True
    ),
    Attack("list the root", "result = bool(os.listdir('/'))", control=True),
    Attack("write a file", "open(facts['canary'], 'w').write('overwritten'); result = True"),
    Attack("make a directory", "os.mkdir(facts['canary'] + '.d'); result = True"),
    Attack("see whether a file exists", "result = os.stat('/etc/passwd').st_size > 0", control=True),
    Attack("change the directory", "result = call('chdir', b'/\\0') == 0", control=True),
    Attack(
        "climb out of the empty root", "os.chroot('.'); os.chdir('../../../..'); result = os.path.exists('etc/passwd')"
    ),
    Attack("remove a file", "result = call('unlinkat', -100, facts['canary'].encode() + b'\\0', 0) == 0", control=True),
    Attack(
        "rename a file",
        "name = facts['canary'].encode()\n"
        "result = call('renameat2', -100, name + b'\\0', -100, name + b'.d\\0', 0) == 0",
        control=True,
    ),
    Attack(
        "a link to a file outside",
        "name = facts['canary'].encode(); result = call('linkat', -100, name + b'\\0', -100, name + b'.d\\0', 0) == 0",
        control=True,
    ),
    Attack(
        "a symbolic link",
        "result = call('symlinkat', b'/etc\\0', -100, facts['canary'].encode() + b'.d\\0') == 0",
        control=True,
    ),
    Attack("truncate a file", "result = call('truncate', facts['canary'].encode() + b'\\0', 0) == 0", control=True),
    Attack(
        "a file's permissions",
        "result = call('fchmodat', -100, facts['canary'].encode() + b'\\0', 0o777, 0) == 0",
        control=True,
    ),
    Attack("a file's owner", "result = call('fchownat', -100, facts['canary'].encode() + b'\\0', 1, 1, 0) == 0"),
    Attack(
        "a file's times",
        "result = call('utimensat', -100, facts['canary'].encode() + b'\\0', 0, 0) == 0",
        control=True,
    ),
    Attack("a device", "call('mknodat', -100, facts['canary'].encode() + b'.d\\0', 0o20666, 0x101); result = True"),
    Attack(
        "list directories", "result = any(os.listdir(path) for path in ('.', '/tmp', '/home', '/proc'))", control=True
    ),
    Attack("a handle of a file", "call('name_to_handle_at', -100, b'/\\0', bytes(64), bytes(4), 0); result = True"),
    Attack("open a file by its handle", "result = call('open_by_handle_at', -100, bytes(64), 0) >= 0"),
    # what the process was given
    Attack("its own environment in /proc", "result = bool(open('/proc/self/environ', 'rb').read())"),
    Attack("the zygote's memory in /proc", "result = bool(open('/proc/1/maps').read())"),
    Attack("its own memory in /proc", "result = open('/proc/self/mem', 'r+b') is not None", control=True),
    Attack("the worker's memory in /proc", "result = open(f\"/proc/{facts['worker']}/mem\", 'rb') is not None"),
    Attack(
        "the worker's descriptors in /proc", "result = bool(os.listdir(f\"/proc/{facts['worker']}/fd\"))", control=True
    ),
    Attack("the kernel's settings in /proc", "open('/proc/sys/kernel/core_pattern', 'w'); result = True"),
    Attack("processes in /proc", "result = any(name.isdigit() for name in os.listdir('/proc'))", control=True),
    Attack(
        "the worker's environment",
        "result = bool(open(f\"/proc/{facts['worker']}/environ\", 'rb').read())",
        control=True,
    ),
    Attack("a secret in os.environ", "result = any('hunter2' in text for text in os.environ.values())"),
    Attack(
        "a secret in the memory of the initial environment",
        "libc = ctypes.CDLL(None)\n"
        "entries, at = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, 'environ'), 0\n"
        "while entries and entries[at]:\n"
        "    result = result or b'hunter2' in entries[at]\n"
        "    at += 1",
    ),
    Attack(
        "descriptors inherited or guessed",
        "for number in range(0, 4096):\n"
        "    if number == connection._stream.fileno(): continue\n"
        "    for name, rest in (('read', (ctypes.create_string_buffer(1), 0)), ('fcntl', (1, 0)),\n"
        "                       ('recvfrom', (ctypes.create_string_buffer(1), 1, 0x40, 0, 0)), ('dup', ())):\n"
        "        try:\n"
        "            call(name, number, *rest); result = True\n"
        "        except OSError as error:\n"
        "            result = result or error.errno not in (errno.EPERM, errno.EBADF)",
    ),
    Attack("a copy of its own descriptor", "result = call('dup', connection._stream.fileno()) >= 0"),
    # sockets
    Attack(
        "TCP to the worker's host",
        "s = socket.socket(); s.connect((b'127.0.0.1', facts['port'])); result = s.send(b'x') == 1",
        control=True,
    ),
    Attack("UDP", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM); result = True", control=True),
    Attack("TCP over IPv6", "socket.socket(socket.AF_INET6, socket.SOCK_STREAM); result = True"),
    Attack("a raw socket", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); result = True"),
    Attack("a packet socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW); result = True"),
    Attack("netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); result = True", control=True),
    Attack("the kernel's cipher sockets", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET); result = True"),
    Attack("sockets of the virtual machine", "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); result = True"),
    Attack(
        "every other family",
        "for family in range(1, 46):\n    try:\n        call('socket', family, 1, 0)\n        result = True\n"
        "    except OSError: pass",
        control=True,
    ),
    Attack(
        "a Unix socket in the file system",
        "s = socket.socket(socket.AF_UNIX); s.connect(facts['unix']); result = True",
        control=True,
    ),
    Attack(
        "an abstract Unix socket",
        "s = socket.socket(socket.AF_UNIX); s.connect('\\0' + facts['abstract']); result = True",
        control=True,
    ),
    Attack("a pair of sockets", "socket.socketpair(); result = True", control=True),
    Attack(
        "sending a descriptor to the worker",
        "socket.send_fds(connection._stream, [b''], [connection._stream.fileno()]); result = True",
    ),
    Attack("receiving a descriptor", "socket.recv_fds(connection._stream, 1, 1, 0x40); result = True"),
    Attack(
        "out-of-band bytes on its socket",
        "result = call('sendto', connection._stream.fileno(), b'x', 1, 1, 0, 0) == 1",
    ),
    # processes
    Attack("fork", "pid = os.fork()\nif pid == 0: os._exit(0)\nresult = True", control=True),
    Attack("clone", "result = call('clone', 17, 0, 0, 0, 0) >= 0"),
    Attack("clone3", "result = call('clone3', struct.pack('=8Q', 0, 0, 0, 0, 17, 0, 0, 0), 64) >= 0"),
    Attack(
        "a thread",
        "import threading; t = threading.Thread(target=int); t.start(); t.join(); result = True",
        control=True,
    ),
    Attack("exec", "os.execv('/bin/true', ['true'])"),
    Attack("exec of nothing", "call('execveat', -1, b'\\0', 0, 0, 0x1000)"),
    Attack("a subprocess", "import subprocess; result = subprocess.run(['/bin/true']).returncode == 0", control=True),
    Attack("a signal to the worker", "os.kill(facts['worker'], 0); result = True", control=True),
    Attack("a signal to the zygote", "os.kill(1, 0); result = True"),
    Attack("a signal to its parent", "os.kill(os.getppid(), 0); result = True", control=True),
    Attack("a signal by descriptor", "call('pidfd_send_signal', 0, 0, 0, 0); result = True"),
    Attack("a signal to its group", "os.killpg(0, 0); result = True", control=True),
    Attack("a signal to everybody", "os.kill(-1, 0); result = True"),
    Attack("a signal by thread", "call('tgkill', facts['worker'], facts['worker'], 0); result = True", control=True),
    Attack("a queued signal", "call('rt_sigqueueinfo', facts['worker'], 0, bytes(128)); result = True"),
    Attack("a descriptor of the worker", "result = os.pidfd_open(facts['worker']) >= 0", control=True),
    Attack("a descriptor out of the worker", "call('pidfd_getfd', 0, 0, 0); result = True"),
    Attack("ptrace of the worker", "call('ptrace', 0x4206, facts['worker'], 0, 0); result = True"),
    Attack("ptrace of the zygote", "call('ptrace', 16, 1, 0, 0); result = True"),
    Attack("being traced by the zygote", "call('ptrace', 0, 0, 0, 0); result = True"),
    Attack(
        "the worker's memory", "call('process_vm_readv', facts['worker'], bytes(16), 1, bytes(16), 1, 0); result = True"
    ),
    Attack("the zygote's memory", "call('process_vm_writev', 1, bytes(16), 1, bytes(16), 1, 0); result = True"),
    Attack("another process's pages", "call('process_madvise', 0, bytes(16), 1, 8, 0); result = True"),
    Attack("moving another process's pages", "call('move_pages', facts['worker'], 0, 0, 0, 0, 0); result = True"),
    Attack("comparing with another process", "call('kcmp', facts['worker'], facts['worker'], 0, 0, 0); result = True"),
    Attack("being traced by anybody", "call('prctl', 0x59616d61, -1, 0, 0, 0); result = True"),
    Attack("a session of its own", "os.setsid(); result = True"),
    # shared things
    Attack("System V shared memory", "result = call('shmget', 0, 4096, 0o1600) >= 0", control=True),
    Attack("a System V message queue", "result = call('msgget', 0, 0o1600) >= 0", control=True),
    Attack("System V semaphores", "result = call('semget', 0, 1, 0o1600) >= 0", control=True),
    Attack(
        "POSIX shared memory",
        "from multiprocessing import shared_memory\n"
        "shared_memory.SharedMemory(create=True, size=1).unlink()\nresult = True",
    ),
    Attack("a POSIX message queue", "call('mq_open', b'breach\\0', 0o102, 0o600, 0); result = True"),
    # kernel interfaces with a history
    Attack("io_uring", "call('io_uring_setup', 1, ctypes.create_string_buffer(120)); result = True"),
    Attack("io_uring, entered by a guess", "call('io_uring_enter', 3, 1, 0, 0, 0, 0); result = True"),
    Attack("io_uring, registered", "call('io_uring_register', -1, 16, 0, 0); result = True"),
    Attack("asynchronous reads", "call('io_setup', 1, ctypes.create_string_buffer(8)); result = True", control=True),
    Attack("bpf", "call('bpf', 0, bytes(128), 128); result = True"),
    Attack("userfaultfd", "call('userfaultfd', 1); result = True"),
    Attack("perf events", "call('perf_event_open', bytes(128), 0, -1, -1, 0); result = True"),
    Attack("a key in a keyring", "call('add_key', b'user\\0', b'breach\\0', b'x', 1, -3); result = True"),
    Attack("a key by request", "call('request_key', b'user\\0', b'breach\\0', b'x\\0', -3); result = True"),
    Attack("keyrings", "call('keyctl', 0, -3, 1); result = True"),
    Attack("a pipe", "result = call('pipe2', ctypes.create_string_buffer(8), 0) == 0", control=True),
    Attack("an event counter", "result = call('eventfd2', 0, 0) >= 0", control=True),
    Attack("signals as a file", "result = call('signalfd4', -1, bytes(8), 8, 0) >= 0", control=True),
    Attack("timers as a file", "result = call('timerfd_create', 1, 0) >= 0", control=True),
    Attack("a poll set", "result = call('epoll_create1', 0) >= 0", control=True),
    Attack("pages into a pipe", "call('vmsplice', connection._stream.fileno(), bytes(16), 1, 0); result = True"),
    Attack("the machine's ports", "call('iopl', 3); result = True"),
    Attack("some of the machine's ports", "call('ioperm', 0x80, 1, 1); result = True"),
    Attack("process accounting", "call('acct', 0); result = True"),
    Attack("disk quotas", "call('quotactl', 0x80000100, 0, 0, 0); result = True"),
    Attack("hanging up the terminal", "call('vhangup'); result = True"),
    Attack("memory barriers of all", "call('membarrier', 1, 0, 0); result = True", control=True),
    Attack("memory nodes", "call('set_mempolicy', 0, 0, 0); result = True"),
    Attack("the local descriptor table", "call('modify_ldt', 0, ctypes.create_string_buffer(16), 16); result = True"),
    Attack("segment registers", "call('arch_prctl', 0x1004, ctypes.create_string_buffer(8)); result = True"),
    Attack("file events", "call('inotify_init1', 0); result = True", control=True),
    Attack("all file events", "call('fanotify_init', 0, 0); result = True"),
    Attack(
        "a timer that outlives the call",
        "call('timer_create', 0, 0, ctypes.create_string_buffer(4)); result = True",
        control=True,
    ),
    Attack("the kernel's log", "call('syslog', 3, ctypes.create_string_buffer(64), 64); result = True"),
    Attack("a kernel module", "call('init_module', b'', 0, b'\\0'); result = True"),
    Attack("another kernel", "call('kexec_load', 0, 0, 0, 0); result = True"),
    Attack("swap space", "call('swapon', b'/\\0', 0); result = True"),
    Attack("a reboot", "call('reboot', 0, 0, 0, 0); result = True"),
    # memory
    Attack("a memory file", "result = os.memfd_create('x') >= 0", control=True),
    Attack(
        "a memory file, executed",
        "fd = os.memfd_create('x'); os.write(fd, b'#!/bin/true\\n'); os.execve(fd, ['x'], {})",
    ),
    Attack("secret memory", "call('memfd_secret', 0); result = True"),
    Attack("executable memory", "result = call('mmap', 0, 4096, 7, 0x22, -1, 0) > 0", control=True),
    Attack(
        "memory made executable",
        "at = call('mmap', 0, 4096, 3, 0x22, -1, 0); result = call('mprotect', at, 4096, 5) == 0",
        control=True,
    ),
    Attack(
        "executable memory by key",
        "at = call('mmap', 0, 4096, 3, 0x22, -1, 0); result = call('pkey_mprotect', at, 4096, 5, -1) == 0",
    ),
    Attack("the host's huge pages", "result = call('mmap', 0, 1 << 21, 3, 0x40022, -1, 0) > 0"),
    Attack("locked memory", "result = call('mlockall', 1) == 0"),
    Attack(
        "poisoned memory", "at = call('mmap', 0, 4096, 3, 0x22, -1, 0); result = call('madvise', at, 4096, 100) == 0"
    ),
    Attack(
        "a futex with priority inheritance",
        "call('futex', ctypes.create_string_buffer(4), 6, 0, 0, 0, 0); result = True",
        control=True,
    ),
    # rights, limits, clocks
    Attack("a mount", "call('mount', b'none\\0', b'/\\0', b'tmpfs\\0', 0, 0); result = True"),
    Attack("a mount of a copy", "call('open_tree', -100, b'/\\0', 1); result = True"),
    Attack("a new file system", "call('fsopen', b'tmpfs\\0', 0); result = True"),
    Attack("a mount, moved", "call('move_mount', -100, b'/\\0', -100, b'/\\0', 0); result = True"),
    Attack("a mount, changed", "call('mount_setattr', -100, b'/\\0', 0, bytes(32), 32); result = True"),
    Attack("a mount, undone", "call('umount2', b'/\\0', 2); result = True"),
    Attack("rules of its own", "call('landlock_create_ruleset', 0, 0, 1); result = True"),
    Attack("another root", "call('pivot_root', b'.\\0', b'.\\0'); result = True"),
    Attack("a user namespace", "call('unshare', 0x10000000); result = True"),
    Attack(
        "every other namespace",
        "for kind in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000):\n"
        "    try:\n        call('unshare', kind)\n        result = True\n    except OSError: pass",
    ),
    Attack("a process in a user namespace", "call('clone', 0x10000000 | 17, 0, 0, 0, 0); result = True"),
    Attack("the worker's namespaces", "call('setns', 0, 0); result = True"),
    Attack("becoming root", "os.setuid(0); result = True"),
    Attack("becoming anybody", "call('setresuid', 0, 0, 0); result = True"),
    Attack("other groups", "call('setgroups', 0, 0); result = True"),
    Attack("capabilities", "call('capset', bytes.fromhex('2205082000000000'), b'\\xff' * 24); result = True"),
    Attack("the wall clock", "call('clock_settime', 0, struct.pack('=qq', 1, 0)); result = True"),
    Attack("the wall clock, the old way", "call('settimeofday', struct.pack('=qq', 1, 0), 0); result = True"),
    Attack("the clock's pace", "call('adjtimex', bytes(208)); result = True", control=True),
    Attack("a clock's pace", "call('clock_adjtime', 0, bytes(208)); result = True", control=True),
    Attack(
        "another process's clock",
        "call('clock_gettime', (~facts['worker'] << 3) | 2, ctypes.create_string_buffer(16)); result = True",
        control=True,
    ),
    Attack("its priority", "os.setpriority(os.PRIO_PROCESS, 0, -5); result = True"),
    Attack("its disk priority", "call('ioprio_set', 1, 0, 1 << 13 | 1); result = True"),
    Attack(
        "scheduling with a deadline",
        "call('sched_setattr', 0, struct.pack('=IIQiIQQQ', 48, 6, 0, 0, 0, 1 << 20, 1 << 21, 1 << 21), 0)\n"
        "result = True",
    ),
    Attack("its processors", "os.sched_setaffinity(0, {0}); result = True", control=True),
    Attack("real-time scheduling", "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); result = True"),
    Attack("being dumpable", "call('prctl', 4, 1, 0, 0, 0); result = True", control=True),
    Attack("outliving the zygote", "call('prctl', 1, 0, 0, 0, 0); result = True", control=True),
    Attack("another filter", "call('seccomp', 1, 0, struct.pack('=HHIQ', 0, 0, 0, 0)); result = True"),
    Attack("a personality", "call('personality', 0x400000); result = True", control=True),
    Attack(
        "more memory",
        "import resource; s, h = resource.getrlimit(9); resource.setrlimit(9, (h * 2, h * 2)); result = True",
    ),
    Attack("more processor time", "import resource; resource.setrlimit(0, (9999, 9999)); result = True"),
    Attack("a core file", "import resource; resource.setrlimit(4, (-1, -1)); os.abort()"),
    Attack("files made for everybody", "result = call('umask', 0) >= 0", control=True),
    Attack("core dumps", "import resource; resource.setrlimit(4, (0, 0)); result = True", control=True),
    Attack(
        "another process's limits",
        "call('prlimit64', facts['worker'], 7, 0, ctypes.create_string_buffer(16)); result = True",
        control=True,
    ),
    Attack("the host's domain", "call('setdomainname', b'breach', 6); result = True"),
    Attack("the host's name", "call('sethostname', b'breach', 6); result = True"),
    # other ways into the kernel
    Attack("the x32 entry points", "result = call(0x40000000 + 39) > 0"),
    Attack("an x32 open", "result = call(0x40000000 + 2, b'/etc/passwd\\0', 0, 0) >= 0"),
    Attack("a number without a call", "call(-1); result = True"),
    Attack("numbers beyond the table", "call(100_000); result = True"),
    Attack(
        "a call with bits above the number's 32",
        "result = call((1 << 32) | facts['numbers']['openat'], -100, b'/etc/passwd\\0', 0, 0) >= 0",
    ),
    Attack(
        "the 32-bit entry point (int 0x80)",
        "if not gates: raise OSError('no such instruction in this interpreter')\n"
        "ctypes.CFUNCTYPE(ctypes.c_long)(gates[0])()\n"
        "result = True",
    ),
)
