using Amazon.S3;
using Amazon.S3.Model;
using Pristine.Remote;

namespace Pristine.Cloud;

/// <summary>
/// An object that is written part by part and exists once all of it is there (multipart upload). It is begun at once, so that a bucket that
/// cannot be written to is found before the work.
/// </summary>
internal sealed class S3UploadStream : UploadStream
{
    /// <summary>Parts of an object may be 10,000, and all but the last at least 5 MiB.</summary>
    private const int PartBytes = 8 << 20;

    /// <summary>After so many parts they are larger, so that 500 GB fit.</summary>
    private const int SmallParts = 1000;

    private readonly AmazonS3Client _client;
    private readonly S3Store _store;
    private readonly string _bucket;
    private readonly string _key;
    private readonly string _upload;
    private readonly List<PartETag> _parts = [];
    private readonly MemoryStream _part = new();
    private long _length;
    private bool _isEnded;

    private S3UploadStream(AmazonS3Client client, S3Store store, string bucket, string key)
    {
        (_client, _store, _bucket, _key) = (client, store, bucket, key);
        _upload = Wait(
            () => client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = key })).UploadId;
    }

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <exception cref="RemoteException">The bucket cannot be written to.</exception>
    public static S3UploadStream Start(AmazonS3Client client, S3Store store, string bucket, string key) => new(client, store, bucket, key);

    /// <exception cref="RemoteException">A part cannot be written.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        while (!buffer.IsEmpty)
        {
            var most = _parts.Count < SmallParts ? PartBytes : 8 * PartBytes;
            var taken = (int)Math.Min(buffer.Length, most - _part.Length);
            _part.Write(buffer[..taken]);
            _length += taken;
            buffer = buffer[taken..];
            if (_part.Length == most)
                Send();
        }
    }

    /// <exception cref="RemoteException">The object cannot be completed.</exception>
    public override void Complete()
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        if (_length == 0)
        {
            // There is no upload without a part.
            Abort();
            Wait(() => _client.PutObjectAsync(
                new PutObjectRequest { BucketName = _bucket, Key = _key, ContentBody = "", UseChunkEncoding = false }));
            return;
        }
        if (_part.Length > 0)
            Send();
        Wait(() => _client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = _bucket, Key = _key, UploadId = _upload, PartETags = _parts }));
        _isEnded = true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isEnded)
            Abort();
        if (disposing)
            _part.Dispose();
        base.Dispose(disposing);
    }

    private void Abort()
    {
        _isEnded = true;
        try
        {
            Wait(() => _client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = _bucket, Key = _key, UploadId = _upload }));
        }
        catch (RemoteException)
        {
            // Not every server can. The object is as it was; a rule of the bucket removes the parts.
        }
    }

    private void Send()
    {
        var number = _parts.Count + 1;
        var answer = Wait(() =>
        {
            _part.Position = 0;
            return _client.UploadPartAsync(new UploadPartRequest
            {
                BucketName = _bucket,
                Key = _key,
                UploadId = _upload,
                PartNumber = number,
                InputStream = new MemoryStream(_part.GetBuffer(), 0, (int)_part.Length, writable: false),
                PartSize = _part.Length,
                // Not every server knows Amazon's way to sign a content in pieces.
                UseChunkEncoding = false,
            });
        });
        _parts.Add(new PartETag(number, answer.ETag));
        _part.SetLength(0);
    }

    private T Wait<T>(Func<Task<T>> work)
    {
        try
        {
            return Task.Run(work).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (_store.Explain(exception) is { } failure)
        {
            throw failure;
        }
    }
}
