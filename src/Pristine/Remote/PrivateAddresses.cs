using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Pristine.Remote;

/// <summary>The ranges of IP addresses that are not on the public internet (IANA's special-purpose registries, RFC 6890).</summary>
internal static class PrivateAddresses
{
    private static readonly IPNetwork[] Networks4 =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ]).Select(IPNetwork.Parse),
    ];

    // Of IPv6 only 2000::/3 is public; these parts of it are not.
    private static readonly IPNetwork Public6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] Networks6 = [.. ((string[])["2001::/23", "2001:db8::/32", "3fff::/20"]).Select(IPNetwork.Parse)];

    // Addresses of IPv4 within IPv6 count as what they lead to.
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    /// <summary>True for loopback, private, link-local, shared, reserved and multicast addresses.</summary>
    public static bool Contain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return Networks4.Any(network => network.Contains(address));
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return true;
        if (Translated.Contains(address))
            return Contain(Embedded(address, 12));
        if (SixToFour.Contains(address))
            return Contain(Embedded(address, 2));
        return !Public6.Contains(address) || Networks6.Any(network => network.Contains(address));
    }

    private static IPAddress Embedded(IPAddress address, int at) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(address.GetAddressBytes().AsSpan(at, 4)));
}
