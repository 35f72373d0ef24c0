using System.Buffers;

namespace Pristine.Remote;

/// <summary>Addresses such as <c>https://host/path</c> and <c>s3://bucket/key</c>, as text.</summary>
internal static class RemoteAddress
{
    private const string Separator = "://";

    private static readonly SearchValues<char> SchemeLetters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    /// <summary>True for an address that is read over a network: <c>http://</c>, <c>https://</c>, or that of a bucket.</summary>
    public static bool IsRemote(string reference) => IsHttp(reference) || IsBucket(reference);

    /// <summary>True for <c>http://</c> and <c>https://</c>.</summary>
    public static bool IsHttp(string reference) =>
        reference.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || reference.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>True for <c>s3://</c>, <c>gs://</c> and <c>az://</c>, in any case.</summary>
    public static bool IsBucket(string reference) =>
        reference.StartsWith("s3://", StringComparison.OrdinalIgnoreCase)
        || reference.StartsWith("gs://", StringComparison.OrdinalIgnoreCase)
        || reference.StartsWith("az://", StringComparison.OrdinalIgnoreCase);

    /// <summary>True for anything with a scheme and <c>://</c>, except <c>file://</c>.</summary>
    public static bool HasScheme(string reference) =>
        reference.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var at && char.IsAsciiLetter(reference[0])
        && reference.AsSpan(0, at).IndexOfAnyExcept(SchemeLetters) < 0
        && !reference.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Why an address is not read that has no store.</summary>
    public static string WhyNot(string address) => address.Split(':')[0].ToLowerInvariant() switch
    {
        "s3" or "gs" or "az" => "s3://, gs:// and az:// are read with the package Pristine.Cloud, which is not in use here",
        "abfs" or "abfss" or "wasb" or "wasbs" =>
            "Azure's containers are read as az://CONTAINER/NAME, with the account in AZURE_STORAGE_CONNECTION_STRING or " +
            "AZURE_STORAGE_ACCOUNT",
        "hf" => "hf:// is not read; addresses https://huggingface.co/datasets/NAME/resolve/main/... are",
        _ => "addresses of this kind are not read; http://, https://, s3://, gs:// and az:// are",
    };

    /// <summary>What says of an address what it holds: the address without query and fragment. Keys in buckets have neither.</summary>
    public static string NameOf(string address) =>
        IsHttp(address) && address.IndexOfAny(['?', '#']) is var end and >= 0 ? address[..end] : address;

    /// <summary>The address of the folder that an address lies in, with its slash: what relative references in a file start at.</summary>
    public static string FolderOf(string address)
    {
        var name = NameOf(address);
        var host = name.IndexOf(Separator, StringComparison.Ordinal) + Separator.Length;
        return name.LastIndexOf('/') is var slash && slash >= host ? name[..(slash + 1)] : name + "/";
    }

    /// <summary>An address below a folder's.</summary>
    /// <param name="folder">The folder's address.</param>
    /// <param name="relative">A relative path, as a file has it: nothing in it is escaped.</param>
    public static string Join(string folder, string relative)
    {
        var name = NameOf(folder);
        var (query, root) = (folder[name.Length..], name.EndsWith('/') ? name : name + "/");
        // The part after a question mark, such as an access token, belongs to every address below the folder.
        return root + (IsBucket(folder) ? relative : string.Join('/', relative.Split('/').Select(Uri.EscapeDataString))) + query;
    }

    /// <summary>An address without what may be secret in it: user, password and query.</summary>
    public static string Display(string address) => IsHttp(address) && Uri.TryCreate(address, UriKind.Absolute, out var uri)
        ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)
        : address;

    /// <summary>What shares connections: the host and port of an address, or its bucket.</summary>
    public static string HostOf(string address)
    {
        var start = address.IndexOf(Separator, StringComparison.Ordinal) + Separator.Length;
        var end = address.AsSpan(start).IndexOfAny("/?#");
        return (end < 0 ? address : address[..(start + end)]).ToLowerInvariant();
    }
}
