using Pristine.Native;

namespace Pristine.Tests.Native;

public class DuckDbConnectionTests
{
    [Fact]
    public void Appended_values_of_every_type_come_back_with_their_nulls()
    {
        using var database = DuckDbConnection.Open();
        database.Execute("CREATE TABLE t (a BIGINT, b INTEGER, c FLOAT, d DOUBLE, e BOOLEAN, f VARCHAR, g TIMESTAMP)");
        var texts = new[] { "", "short", "exactly12byt", "longer than twelve bytes: ünïcödé 🖼", "a\0b'\"" };
        using (var appender = database.Append("t"))
        {
            for (var i = 0; i < 5000; i++)
            {
                appender.Append(long.MaxValue - i);
                appender.Append(i % 3 == 0 ? (long?)null : i);
                appender.AppendFloat(i % 5 == 0 ? double.NaN : i / 3f);
                appender.AppendDouble(i % 7 == 0 ? double.NaN : i / 3.0);
                appender.Append(i % 2 == 0);
                appender.Append(i % 11 == 0 ? null : texts[i % texts.Length]);
                appender.AppendTimestamp(i % 13 == 0 ? null : i * 1_000_003L);
                appender.EndRow();
            }
            appender.Complete();
        }
        using var rows = database.Query("SELECT * FROM t");
        for (var i = 0; i < 5000; i++)
        {
            Assert.True(rows.Read());
            Assert.Equal(long.MaxValue - i, rows.Int64(0));
            Assert.Equal(i % 3 == 0 ? null : i, rows.IsNull(1) ? null : (int?)rows.Int64(1));
            Assert.Equal(i % 5 == 0 ? null : (double)(i / 3f), rows.IsNull(2) ? null : (double?)rows.Double(2));
            Assert.Equal(i % 7 == 0 ? null : i / 3.0, rows.IsNull(3) ? null : (double?)rows.Double(3));
            Assert.Equal(i % 2 == 0, rows.Boolean(4));
            Assert.Equal(i % 11 == 0 ? null : texts[i % texts.Length], rows.Text(5));
            Assert.Equal(i % 13 == 0 ? null : i * 1_000_003L, rows.IsNull(6) ? null : (long?)rows.Int64(6));
        }
        Assert.False(rows.Read());
        Assert.False(rows.Read());
    }

    [Fact]
    public void Parameters_are_values_and_never_sql()
    {
        using var database = DuckDbConnection.Open();
        database.Execute("CREATE TABLE t (s VARCHAR, n DOUBLE)");
        const string hostile = "'; DROP TABLE t; --";
        Assert.Equal(1, database.Execute("INSERT INTO t VALUES ($1, $2)", hostile, 1.5));
        Assert.Equal(1, database.QueryInt64("SELECT count(*) FROM t WHERE s = $1 AND n = $2", hostile, 1.5));
        Assert.Equal(0, database.QueryInt64("SELECT count(*) FROM t WHERE s = $1", ""));
        Assert.Null(database.QueryInt64("SELECT $1::BIGINT", new object?[] { null }));
        Assert.Contains("Expected 1 parameters", Assert.Throws<ArgumentException>(
            () => database.QueryInt64("SELECT $1", 1, 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Quoted_names_and_literals_keep_their_quotes()
    {
        using var database = DuckDbConnection.Open();
        using var rows = database.Query($"SELECT {DuckDbConnection.Literal("it's")} AS {DuckDbConnection.Identifier("a \"b\"")}");
        Assert.True(rows.Read());
        Assert.Equal(("it's", "a \"b\""), (rows.Text(0), rows.Name(0)));
    }

    [Theory]
    [InlineData("SELEC 1", "syntax error")]
    [InlineData("SELECT * FROM nothing", "nothing")]
    [InlineData("SELECT 'x'::INTEGER", "Could not convert")]
    [InlineData("SELECT error('late') FROM range(100000) t(i) WHERE i = 99999", "late")]
    public void Errors_carry_what_DuckDB_says(string sql, string message)
    {
        using var database = DuckDbConnection.Open();
        var error = Assert.Throws<DuckDbException>(() =>
        {
            using var rows = database.Query(sql);
            while (rows.Read())
            {
            }
        });
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(7, database.QueryInt64("SELECT 7"));
    }

    [Fact]
    public void Reading_another_type_than_the_column_has_says_so()
    {
        using var database = DuckDbConnection.Open();
        using var rows = database.Query("SELECT 'x' AS name, NULL::INTEGER AS nothing");
        Assert.True(rows.Read());
        Assert.Contains("'name'", Assert.Throws<InvalidOperationException>(() => rows.Int64(0)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "'nothing' is NULL", Assert.Throws<InvalidOperationException>(() => rows.Int64(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_that_is_not_whole_fails_and_names_the_table()
    {
        using var database = DuckDbConnection.Open();
        database.Execute("CREATE TABLE narrow (a INTEGER, b INTEGER)");
        using var appender = database.Append("narrow");
        appender.Append(1L);
        Assert.Contains("narrow", Assert.Throws<DuckDbException>(appender.EndRow).Message, StringComparison.Ordinal);
        Assert.Throws<DuckDbException>(() => database.Append("absent"));
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM '/etc/passwd.csv'")]
    [InlineData("COPY (SELECT 1) TO '/tmp/pristine-must-not-exist.csv'")]
    [InlineData("ATTACH '/tmp/pristine-must-not-exist.db'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("SET threads = 1")]
    [InlineData("PRAGMA memory_limit = '1GB'")]
    public void A_confined_database_reaches_nothing_outside_its_folders(string sql)
    {
        using var folder = TestFiles.NewFolder();
        using var database = DuckDbConnection.Open();
        database.Execute($"COPY (SELECT 1 AS a) TO {DuckDbConnection.Literal(folder["inside.parquet"])}");
        database.Confine([folder.Path], []);
        Assert.Equal(1, database.QueryInt64($"SELECT a FROM read_parquet({DuckDbConnection.Literal(folder["inside.parquet"])})"));
        Assert.Throws<DuckDbException>(() => database.Execute(sql));
        Assert.False(File.Exists("/tmp/pristine-must-not-exist.csv") || File.Exists("/tmp/pristine-must-not-exist.db"));
    }

    [Fact]
    public void Two_connections_share_a_database_and_read_at_the_same_time()
    {
        using var database = DuckDbConnection.Open();
        database.Execute("CREATE TABLE t AS SELECT i FROM range(100000) t(i)");
        using var other = database.Another();
        using var rows = database.Query("SELECT i FROM t ORDER BY i");
        long sum = 0;
        while (rows.Read())
        {
            sum += rows.Int64(0);
            if (rows.Int64(0) % 50_000 == 0)
                Assert.Equal(100_000, other.QueryInt64("SELECT count(*) FROM t"));
        }
        Assert.Equal(99_999L * 100_000 / 2, sum);
    }
}
