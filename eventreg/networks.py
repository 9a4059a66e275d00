"""Names the network a client belongs to, for everything that is counted or shared out by client."""

import ipaddress

IPV6_NETWORK = 64
"""Bits that name one customer's network; the rest is theirs to choose."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 clients behind a translator (RFC 6052)."""
LONGEST_PEER = 64


def network_of(peer: str) -> str:
    """IPv4 by address and IPv6 by /64; IPv4 addresses written as IPv6 are counted as what they are.

    >>> network_of("2001:db8:1:2:3::4"), network_of("2001:db8:1:2:ffff::1")
    ('2001:db8:1:2::', '2001:db8:1:2::')
    >>> network_of("::ffff:192.0.2.7"), network_of("64:ff9b::c000:207"), network_of("2002:c000:207::1")
    ('192.0.2.7', '192.0.2.7', '192.0.2.7')
    >>> network_of("192.0.2.7:5678"), network_of("[2001:db8::1%eth0]:443")
    ('192.0.2.7', '2001:db8::')
    """
    host = peer.strip()[:LONGEST_PEER]
    if host.startswith("["):  # some proxies name the port, which changes with every connection
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    inside = address.ipv4_mapped or address.sixtofour
    if inside is None and address in NAT64:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inside is not None:
        return str(inside)
    return str(ipaddress.IPv6Network((address, IPV6_NETWORK), strict=False).network_address)
