using Pristine.Remote;

namespace Pristine.Tests.Remote;

public class RemoteAddressTests
{
    [Theory]
    [InlineData("https://host/a/b.jsonl?x=1/2", "https://host/a/")]
    [InlineData("https://host", "https://host/")]
    [InlineData("https://host/b.jsonl", "https://host/")]
    [InlineData("s3://bucket/key?.jsonl", "s3://bucket/")]
    public void The_folder_of_an_address_ends_with_its_last_slash(string address, string folder) =>
        Assert.Equal(folder, RemoteAddress.FolderOf(address));

    [Theory]
    [InlineData("https://host/a/", "b c#1.jpg", "https://host/a/b%20c%231.jpg")]
    [InlineData("https://host/a?key=1", "b/c.jpg", "https://host/a/b/c.jpg?key=1")]
    [InlineData("s3://bucket/a", "b c#1.jpg", "s3://bucket/a/b c#1.jpg")]
    public void A_path_below_an_address_is_escaped_where_that_is_needed(string folder, string path, string address) =>
        Assert.Equal(address, RemoteAddress.Join(folder, path));

    [Theory]
    [InlineData("HTTP://Host:80/a", "http://host:80")]
    [InlineData("s3://bucket/a/b", "s3://bucket")]
    [InlineData("https://host?x", "https://host")]
    public void Connections_are_shared_by_host(string address, string host) => Assert.Equal(host, RemoteAddress.HostOf(address));

    [Fact]
    public void What_may_be_secret_is_not_shown() =>
        Assert.Equal("https://host:8443/a.jpg", RemoteAddress.Display("https://user:word@host:8443/a.jpg?signature=x#y"));

    [Theory]
    [InlineData("gs://bucket/a", true)]
    [InlineData("https://host", true)]
    [InlineData("file:///a", false)]
    [InlineData("/a/b://c", false)]
    [InlineData("c:/a", false)]
    public void A_scheme_is_told_from_a_path(string reference, bool has) => Assert.Equal(has, RemoteAddress.HasScheme(reference));
}
