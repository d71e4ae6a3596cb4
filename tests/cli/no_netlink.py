"""no_netlink.py NUMBER PROGRAM …: becomes a program to which the kernel says that there are no
netlink sockets, as a sandbox does, by a filter of system calls. NUMBER: that of socket()."""

import ctypes
import os
import struct
import sys

AF_NETLINK, EAFNOSUPPORT = 16, 97
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTERED = 22, 38, 2
LOAD, SKIP_UNLESS_EQUAL, END = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000 | EAFNOSUPPORT, 0x7FFF0000
NUMBER_AT, FIRST_ARGUMENT_AT = 0, 16  # in what a filter is given


def main():
    number, program = int(sys.argv[1]), sys.argv[2:]
    steps = [(LOAD, 0, 0, NUMBER_AT), (SKIP_UNLESS_EQUAL, 0, 3, number),
             (LOAD, 0, 0, FIRST_ARGUMENT_AT), (SKIP_UNLESS_EQUAL, 0, 1, AF_NETLINK),
             (END, 0, 0, REFUSE), (END, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    rules = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for what in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTERED, rules, 0, 0)):
        if libc.prctl(*what) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execv(program[0], program)


main()
