using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Remote;

namespace Pristine.Models;

/// <summary>
/// One file on its way into the store. What has arrived stays in <c>NAME.partial</c>, beside a note of where it came from and which
/// version it was; a later attempt, in this process or another, asks the server for the rest of that version (Range and If-Range).
/// </summary>
/// <remarks>
/// Failures that may pass (connections that are refused or cut, silence, 408, 425, 429, 500, 502, 503, 504) are retried with growing,
/// randomised waits until several in a row brought nothing new. All others end the download at once.
/// </remarks>
internal sealed class FileDownload
{
    /// <summary>A server that sends without end must not fill the disk: no model whose size is unknown is larger.</summary>
    private const long MaxUnknownBytes = 1L << 30;

    /// <summary>Longer waits than this on a server's request are the user's decision.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(2);

    private readonly HttpClient _client;
    private readonly PullOptions _options;
    private readonly Uri _address;
    private readonly string _display;
    private readonly string _path;
    private readonly string _notePath;
    private readonly long? _bytes;
    private readonly string? _sha256;
    private readonly Action<long, long?, string?> _report;

    /// <param name="client">Follows redirects; its own time-out is infinite.</param>
    /// <param name="options">Waits and limits.</param>
    /// <param name="address">http, https or file.</param>
    /// <param name="path">Where the file is collected; <c>.partial</c> by convention.</param>
    /// <param name="bytes">The size it must have, or null.</param>
    /// <param name="sha256">The hash it must have, or null.</param>
    /// <param name="report">Receives bytes on disk, bytes in all, and a notice for people.</param>
    public FileDownload(
        HttpClient client, PullOptions options, Uri address, string path, long? bytes, string? sha256, Action<long, long?, string?> report)
    {
        (_client, _options, _address, _path, _bytes, _sha256, _report) = (client, options, address, path, bytes, sha256, report);
        _notePath = path + ".json";
        _display = Display(address);
    }

    /// <summary>An address without what may be secret in it: user, password and query.</summary>
    public static string Display(Uri address) =>
        address.IsFile
        ? address.LocalPath
        : address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>Downloads what is missing, and checks size and hash.</summary>
    /// <returns>The content, which is also on disk, and its SHA-256 in lower-case hex.</returns>
    /// <exception cref="ModelException">The file is another than was expected. It is deleted.</exception>
    /// <exception cref="IOException">It cannot be downloaded or written. What has arrived is kept.</exception>
    public async Task<(byte[] Content, string Sha256)> RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var joined = await CollectAsync(cancellation).ConfigureAwait(false);
            // The bytes that are hashed are those on disk, not those that were seen on the way there.
            var content = await File.ReadAllBytesAsync(_path, cancellation).ConfigureAwait(false);
            var found = Convert.ToHexStringLower(SHA256.HashData(content));
            if (_sha256 == null || found == _sha256)
                return (content, found);
            Discard();
            if (!joined)
                throw new ModelException(
                    $"{_display}: expected SHA-256 {_sha256}; found {found} ({content.Length} bytes). Nothing was installed.");
            Notice(0, "the parts of several attempts do not give the expected SHA-256; starting again");
        }
    }

    /// <summary>Deletes what has arrived.</summary>
    public void Discard()
    {
        File.Delete(_path);
        File.Delete(_notePath);
    }

    /// <summary>Collects the file with as many attempts as it takes.</summary>
    /// <returns>True when it was joined from several answers, false when one gave it all.</returns>
    private async Task<bool> CollectAsync(CancellationToken cancellation)
    {
        var furthest = PartialLength();
        for (var failures = 0; ;)
        {
            try
            {
                return _address.IsFile
                    ? await CopyAsync(cancellation).ConfigureAwait(false)
                    : await AttemptAsync(cancellation).ConfigureAwait(false);
            }
            catch (TransientFailure failure)
            {
                var length = PartialLength();
                failures = length > furthest ? 1 : failures + 1;
                furthest = Math.Max(furthest, length);
                if (failures >= _options.MaxFailures)
                    throw new IOException(
                        $"{_display}: {failure.Message}. Gave up after {failures} failures in a " +
                        $"row{(length > 0 ? $"; {length} bytes are kept, and the same command goes on from there" : "")}.",
                        failure.InnerException);
                var wait = WaitAfter(failures, failure.RetryAfter);
                Notice(length,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{failure.Message}; trying again in {wait.TotalSeconds:0.0} s ({failures} of {_options.MaxFailures})"));
                await Task.Delay(wait, cancellation).ConfigureAwait(false);
            }
        }
    }

    private TimeSpan WaitAfter(int failures, TimeSpan? retryAfter)
    {
        if (retryAfter > MaxRetryAfter)
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture, $"{_display}: the server asks to come back in {retryAfter.Value.TotalSeconds:0} s."));
        return Backoff.Wait(failures, _options.FirstDelay, _options.MaxDelay, retryAfter);
    }

    private async Task<bool> AttemptAsync(CancellationToken cancellation)
    {
        using var file = OpenPartial();
        var note = ResumeNote.Read(_notePath);
        var version = note?.Address == _display ? note.Version : null;
        // Without a version or a hash to check, the parts of two different files could be joined unnoticed.
        var start = version != null || _sha256 != null ? file.Length : 0;
        if (start > 0 && start == _bytes)
            return true;
        if (start > _bytes)
            start = 0;

        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var response = await SendAsync(start, version, stall, cancellation).ConfigureAwait(false);
        if (start > 0 && IsUseless(response, start, version))
        {
            Truncate(file, 0);
            file.Dispose();
            Discard();
            // This asks for the whole file, hence does not come here again.
            return await AttemptAsync(cancellation).ConfigureAwait(false);
        }
        CheckStatus(response, start);
        if (start > 0 && response.StatusCode == HttpStatusCode.OK)
        {
            Notice(0, "the server sends the file from its start, because it has changed or parts are not served");
            start = 0;
        }
        var total = response.Content.Headers.ContentRange?.Length
            ?? (response.Content.Headers.ContentLength is { } length ? start + length : null);
        CheckSize(total, response.Content.Headers.ContentType);
        if (start == 0)
        {
            Truncate(file, 0);
            OnDisk(() => ResumeNote.Of(_display, response).Write(_notePath));
        }
        file.Position = start;
        await ReceiveAsync(response, file, total ?? _bytes, stall, cancellation).ConfigureAwait(false);
        return start > 0;
    }

    /// <summary>Asks for the file from a position on, and waits for the head of the answer.</summary>
    private async Task<HttpResponseMessage> SendAsync(
        long start, string? version, CancellationTokenSource stall, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        if (start > 0)
        {
            request.Headers.Range = new(start, null);
            if (version != null)
                request.Headers.TryAddWithoutValidation("If-Range", version);
        }
        stall.CancelAfter(_options.Timeout);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientFailure($"no answer within {_options.Timeout.TotalSeconds:0.#} s", error);
        }
        catch (HttpRequestException error) when (HttpFailure.MayPass(error))
        {
            throw new TransientFailure(HttpFailure.Reason(error), error);
        }
        catch (HttpRequestException error)
        {
            throw new IOException($"{_display}: {HttpFailure.Reason(error)}.", error);
        }
    }

    private async Task ReceiveAsync(
        HttpResponseMessage response, FileStream file, long? total, CancellationTokenSource stall, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[128 * 1024];
        var limit = _bytes ?? MaxUnknownBytes;
        while (true)
        {
            int count;
            try
            {
                stall.CancelAfter(_options.Timeout);
                count = await body.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
            {
                throw new TransientFailure($"no data within {_options.Timeout.TotalSeconds:0.#} s, after {file.Position} bytes", error);
            }
            catch (Exception error) when (error is IOException or HttpRequestException)
            {
                throw new TransientFailure($"the connection was cut after {file.Position} bytes", error);
            }
            if (count == 0)
                break;
            if (file.Position + count > limit)
            {
                file.Dispose();
                Discard();
                throw new ModelException(
                    $"{_display}: expected {(_bytes == null ? "at most " : "")}{limit} bytes; the server sends more. Nothing was installed.");
            }
            Append(file, buffer.AsSpan(0, count));
            _report(file.Position, total, null);
        }
        if (file.Position < total)
            throw new TransientFailure($"the answer ended after {file.Position} of {total} bytes", null);
        OnDisk(() => file.Flush(flushToDisk: true));
    }

    /// <summary>Copies a local file; nothing to resume there.</summary>
    private async Task<bool> CopyAsync(CancellationToken cancellation)
    {
        using var source = new FileStream(
            _address.LocalPath, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        CheckSize(source.Length, null);
        using var file = OpenPartial();
        Truncate(file, 0);
        var buffer = new byte[128 * 1024];
        for (int count; (count = await source.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            Append(file, buffer.AsSpan(0, count));
            _report(file.Position, source.Length, null);
        }
        OnDisk(() => file.Flush(flushToDisk: true));
        return false;
    }

    /// <summary>True when the server has no such part (416), or sends one that does not continue what is here.</summary>
    private static bool IsUseless(HttpResponseMessage response, long start, string? version) => response.StatusCode switch
    {
        HttpStatusCode.RequestedRangeNotSatisfiable => true,
        HttpStatusCode.PartialContent => response.Content.Headers.ContentRange is not { Unit: "bytes" } range || range.From != start
            || (version is ['"', ..] && response.Headers.ETag is { } tag && tag.ToString() != version),
        _ => false,
    };

    private void CheckStatus(HttpResponseMessage response, long start)
    {
        var status = response.StatusCode;
        if (status == HttpStatusCode.OK || (status == HttpStatusCode.PartialContent && start > 0))
            return;
        var reason = $"the server answered {(int)status} {response.ReasonPhrase}".TrimEnd();
        if (HttpFailure.MayPass(status))
            throw new TransientFailure(reason, null) { RetryAfter = HttpFailure.RetryAfter(response.Headers.RetryAfter) };
        if (response.Headers.Location is { } location)
            reason += $" to {(location.IsAbsoluteUri ? Display(location) : location)}, which is not followed";
        throw new IOException($"{_display}: {reason}.");
    }

    private void CheckSize(long? found, MediaTypeHeaderValue? type)
    {
        if (_bytes != null && found != null && found != _bytes)
            throw new ModelException(
                $"{_display}: expected {_bytes} bytes; found {found}{(type == null ? "" : $" of {type.MediaType}")}. Nothing was installed.");
        if (found > MaxUnknownBytes && _bytes == null)
            throw new ModelException($"{_display}: expected at most {MaxUnknownBytes} bytes; found {found}. Nothing was installed.");
    }

    private void Notice(long received, string text) => _report(received, _bytes, $"{_display}: {text}");

    private long PartialLength() => File.Exists(_path) ? new FileInfo(_path).Length : 0;

    private FileStream OpenPartial() => OnDisk(() => new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0));

    private void Truncate(FileStream file, long length)
    {
        if (file.Length != length)
            OnDisk(() => file.SetLength(length));
        file.Position = length;
    }

    private void Append(FileStream file, ReadOnlySpan<byte> bytes)
    {
        try
        {
            file.Write(bytes);
        }
        catch (IOException error)
        {
            throw Unwritable(error);
        }
    }

    private void OnDisk(Action action) => OnDisk<object?>(() =>
    {
        action();
        return null;
    });

    private T OnDisk<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException error)
        {
            throw Unwritable(error);
        }
    }

    /// <summary>Says which file; a full disk is the usual reason, and its message names none.</summary>
    private IOException Unwritable(IOException error) =>
        new($"Cannot write {_path}: {error.Message.TrimEnd('.')}{(_bytes == null ? "" : $" ({_bytes} bytes are needed)")}. What has " +
        $"arrived is kept; the same command goes on from there.", error);

    /// <summary>A failure that the next attempt may not meet.</summary>
    private sealed class TransientFailure(string message, Exception? inner) : Exception(message, inner)
    {
        public TimeSpan? RetryAfter { get; init; }
    }
}

/// <summary>What is known of a partial file.</summary>
/// <param name="Address">Where it comes from.</param>
/// <param name="Version">
/// A strong ETag or the date of the last change, in the server's spelling, as If-Range wants it; null when it gave neither.
/// </param>
internal sealed partial record ResumeNote(string Address, string? Version)
{
    public static ResumeNote Of(string address, HttpResponseMessage response) => new(
        address,
        response.Headers.ETag is { IsWeak: false } tag ? tag.ToString()
        : response.Content.Headers.LastModified is { } changed ? changed.ToString("R", CultureInfo.InvariantCulture)
        : null);

    /// <summary>Null when there is none. A note that was cut off by a crash only costs the bytes that it stood for.</summary>
    public static ResumeNote? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ResumeNoteJson.Default.ResumeNote);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Write(string path) =>
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, ResumeNoteJson.Default.ResumeNote));

    [JsonSerializable(typeof(ResumeNote))]
    private sealed partial class ResumeNoteJson : JsonSerializerContext;
}
