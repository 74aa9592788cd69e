"""A program for a guest that adds very many destinations in a short time, by netlink.

`ipvsadm -R` makes a socket for each line and asks for the family's number: in an emulated guest
that takes longer than all that the kernel does. This sends requests of one size by the hundred.
"""

MANY_DESTS = """
import socket, struct, sys
first, last, dests = (int(each) for each in sys.argv[1:])
NEW_SERVICE, NEW_DEST, SERVICE, DEST = 1, 5, 1, 2

def attribute(kind, content):
    head = struct.pack('=HH', 4 + len(content), kind)
    return head + content + b'\\0' * (-len(content) % 4)

def request(family, command, body, flags=1, sequence=0):
    head = struct.pack('=IHHII', 20 + len(body), family, flags, sequence, 0)
    return head + struct.pack('=BBH', command, 1, 0) + body

def answered(sequence):
    found = struct.unpack_from('=HHIIi', link.recv(1 << 16), 4)
    assert found[2] == sequence, 'request %d answers %d' % (found[2], found[4])
    return found[4]

def service(number, *more):
    address = socket.inet_aton('10.8.%d.%d' % (number // 250, number % 250 + 1))
    known = (attribute(1, struct.pack('=H', socket.AF_INET)), attribute(2, struct.pack('=H', 6)),
             attribute(3, address), attribute(4, struct.pack('>H', 80)))
    return attribute(SERVICE, b''.join((*known, *more)))

def number(value):
    return struct.pack('=I', value)

link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
link.bind((0, 0))
link.send(request(16, 3, attribute(2, b'IPVS\\0')))
answer = link.recv(1 << 16)
at = 20
while struct.unpack_from('=H', answer, at + 2)[0] != 1:
    at += struct.unpack_from('=H', answer, at)[0] + 3 & ~3
family = struct.unpack_from('=H', answer, at + 4)[0]

ACK, EEXIST = 5, -17
for each in range(first, last):
    added = service(each, attribute(6, b'rr\\0'), attribute(7, struct.pack('=II', 0, 0)),
                    attribute(8, number(0)), attribute(9, number(0xffffffff)))
    link.send(request(family, NEW_SERVICE, added, ACK, 1))
    assert answered(1) in (0, EEXIST)
rest = (attribute(2, struct.pack('>H', 80)) + attribute(3, number(0)) + attribute(4, number(1))
        + attribute(5, number(0)) + attribute(6, number(0)))
for each in range(first, last):
    known = service(each)
    some = [
        request(family, NEW_DEST, known + attribute(DEST, attribute(
            1, bytes((11, n // 62500, n // 250 % 250, n % 250 + 1))) + rest))
        for n in range(each * dests, (each + 1) * dests)
    ]
    for begin in range(0, len(some), 500):
        link.send(b''.join(some[begin:begin + 500]))
    # Each that is refused is answered before this, which lacks what a new service needs.
    link.send(request(family, NEW_SERVICE, known, ACK, 2))
    answered(2)
"""
"""Arguments: the first service, the one after the last, and how many destinations each gets. The
services may be there already."""
