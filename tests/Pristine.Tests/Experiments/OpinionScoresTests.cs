using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Tables;

namespace Pristine.Tests.Experiments;

public class OpinionScoresTests
{
    private static OpinionScores Read(string text, OpinionOptions? options = null)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["labels.csv"], text);
        return OpinionScores.Read(folder["labels.csv"], options);
    }

    /// <summary>Headers and rows as the public label files have them.</summary>
    [Theory]
    [InlineData(
        "dis_img_path,dis_type,ref_img_path,score\nLIVE/jp2k/img2.bmp,jp2k,LIVE/refimgs/studentsculpture.bmp,15.51\n", "LIVE", false,
        "LIVE/jp2k/img2.bmp", 15.51)]
    [InlineData(
        "dis_img_path,dis_type,ref_img_path,score\nCSIQ/dst_imgs/AWGN/1600.AWGN.1.png,AWGN,CSIQ/src_imgs/1600.png,0.061989\n", "CSIQ",
        false, "CSIQ/dst_imgs/AWGN/1600.AWGN.1.png", 0.061989)]
    [InlineData(
        "dis_img_path,dis_type,ref_img_path,score\nTID2013/distorted_images/i01_01_1.bmp,AWGN,TID2013/reference_images/i01.bmp,5.5143\n",
        "TID2013", true, "TID2013/distorted_images/i01_01_1.bmp", 5.5143)]
    [InlineData("5.51429 I01_01_1.bmp\r\n5.56757 i01_01_2.bmp\r\n", null, true, "I01_01_1.bmp", 5.51429)]
    [InlineData("dist_img,ref_img,dmos,var\nI01_01_01.png,I01.png,4.57,0.496\n", "KADID-10k", true, "I01_01_01.png", 4.57)]
    [InlineData(
        "dis_img_path,dis_type,ref_img_path,score\nKADID-10k/images/I01_01_01.png,GBLUR,KADID-10k/images/I01.png,4.57\n", "KADID-10k", true,
        "KADID-10k/images/I01_01_01.png", 4.57)]
    [InlineData(
        "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,MOS_zscore\n\"10004473376.jpg\",0,0,25,73,7,105,3.83,0.53,73.7\n", "KonIQ-10k", true,
        "10004473376.jpg", 3.83)]
    [InlineData(
        "dis_img_path,dis_type,score\nKonIQ-10k/1024x768/10004473376.jpg,Authentic,3.828\n", "KonIQ-10k", true,
        "KonIQ-10k/1024x768/10004473376.jpg", 3.828)]
    [InlineData(
        "dis_img_path,dis_type,score\nSPAQ/Dataset/TestImage/00001.jpg,Authentic,48.86\n", "SPAQ", true, "SPAQ/Dataset/TestImage/00001.jpg",
        48.86)]
    [InlineData(
        "dis_img_path,dis_type,score\nLIVE_Challenge/Images/101.bmp,Authentic,66.3595\n", "CLIVE", true, "LIVE_Challenge/Images/101.bmp",
        66.3595)]
    [InlineData(
        "name,mos\nvoc_emotic_ava/JPEGImages__2008_002278.jpg,77.4\nEE371R/cj23478+019.jpg,70\n", "FLIVE", true,
        "voc_emotic_ava/JPEGImages__2008_002278.jpg", 77.4)]
    [InlineData("Image Name,MOS,,\nss03 (3753).jpg,0.8471,,\nss01 (1726).jpg,0.2874,,\n", "BIQ2021", true, "ss03 (3753).jpg", 0.8471)]
    [InlineData(
        "dis_img_path,dis_type,ref_img_path,score\nLIVE_MD/Part 1/blurjpeg/a.bmp,x,y,47.3\n", "LIVE_MD", false,
        "LIVE_MD/Part 1/blurjpeg/a.bmp", 47.3)]
    [InlineData("image,mos\na.jpg,1\nb.jpg,2\n", null, true, "a.jpg", 1)]
    [InlineData("path;dmos\nx\\a.jpg;1.5e1\n", null, false, "x/a.jpg", 15)]
    [InlineData("\uFEFFFilename\tScore\n\"a, \"\"b\"\".jpg\"\t-2\n", null, true, "a, \"b\".jpg", -2)]
    public void Public_label_files_are_recognised_with_their_direction(
        string text, string? dataset, bool higherIsBetter, string image, double value)
    {
        var opinions = Read(text);
        Assert.Equal(dataset, opinions.Dataset);
        Assert.Equal(higherIsBetter ? OpinionDirection.HigherIsBetter : OpinionDirection.LowerIsBetter, opinions.Direction);
        Assert.Equal(new OpinionScore(image, value), opinions.Scores[0]);
    }

    [Fact]
    public void A_name_may_hold_separators_quotes_and_line_breaks() =>
        Assert.Equal(
            ["a,\nb.jpg", "c \"d\".jpg", "e.jpg"],
            Read("\nimage,mos\r\n\"a,\nb.jpg\",1\r\n\r\n\"c \"\"d\"\".jpg\",2\r\ne.jpg,3,more\r\n").Scores.Select(score => score.Image));

    [Fact]
    public void Files_of_plain_numbers_are_told_by_their_count()
    {
        string Numbers(string header, int count, string format) =>
            header + string.Concat(Enumerable.Range(1, count).Select(i => $"{i.ToString(format, null)}.jpg,{i}\n"));
        Assert.Equal("SPAQ", Read(Numbers("Image name,MOS\n", 11_125, "00000")).Dataset);
        Assert.Equal("CLIVE", Read(Numbers("image,mos\n", 1162, "0")).Dataset);
        var tid = from image in Enumerable.Range(1, 25)
                  from kind in Enumerable.Range(1, 24)
                  from level in Enumerable.Range(
            1, 5)
                  select $"4.5 i{image:00}_{kind:00}_{level}.bmp\n";
        Assert.Equal("TID2013", Read(string.Concat(tid)).Dataset);
        var own = Read(Numbers("image,dmos\n", 50, "0"));
        Assert.Null(own.Dataset);
        Assert.Equal(OpinionDirection.LowerIsBetter, own.Direction);
    }

    [Fact]
    public void Options_name_columns_and_direction()
    {
        var opinions = Read(
            "file,mos,sharp\na.jpg,1,5\n",
            new OpinionOptions { ScoreColumn = "Sharp", ImageColumn = "file", Direction = OpinionDirection.LowerIsBetter });
        Assert.Equal(OpinionDirection.LowerIsBetter, opinions.Direction);
        Assert.Equal(new OpinionScore("a.jpg", 5), Assert.Single(opinions.Scores));
    }

    [Theory]
    [InlineData("image,mos\na.jpg,good\n", "labels.csv:2: expected a number as the opinion score of 'a.jpg'; found 'good'")]
    [InlineData("image,mos\na.jpg,1\n\na.jpg,2\n", "labels.csv:4: expected every image once; 'a.jpg' stands in line 2 already")]
    [InlineData("image,mos\na.jpg\n", "labels.csv:2: expected at least 2 fields; found 1")]
    [InlineData("image,mos\n,2\n", "labels.csv:2: expected the name of an image")]
    [InlineData("image,quality\na.jpg,2\n", "found the columns image, quality")]
    [InlineData("image,mos\n", "found only a header")]
    [InlineData("\n", "found an empty file")]
    [InlineData("image,mos\na.jpg,NaN\n", "found 'NaN'")]
    [InlineData("image,mos\n\"a\nb.jpg\",1\nc.jpg,x\n", "labels.csv:4: expected a number as the opinion score of 'c.jpg'; found 'x'")]
    [InlineData("image,mos\n\"a.jpg,1\nb.jpg,2\n", "labels.csv:2")]
    [InlineData("MATLAB 5.0 MAT-file", "is a MATLAB file")]
    [InlineData("PK\u0003\u0004", "is an Excel workbook")]
    public void What_is_wrong_is_told_with_file_and_line(string text, string message) =>
        Assert.Contains(message, Assert.Throws<DatasetException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Images_are_found_without_leading_folders_in_another_case_and_with_another_extension()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["jp2k"]);
        foreach (var file in (ReadOnlySpan<string>)["jp2k/img1.png", "ss01 (1).JPG", "b.jpg", "two.png", "two.webp", "b.txt"])
            File.WriteAllText(folder[file], "");
        var images = new LabelledImages(folder.Path);
        Assert.Equal("jp2k/img1.png", images.Find("LIVE/jp2k/img1.bmp"));
        Assert.Equal("ss01 (1).JPG", images.Find("ss01 (1).jpg"));
        Assert.Equal("b.jpg", images.Find("Images/b.jpg"));
        Assert.Equal("two.png", images.Find("two.png"));
        // Two candidates: none is taken.
        Assert.Equal("two.bmp", images.Find("two.bmp"));
        Assert.Equal("x/absent.jpg", images.Find("x/absent.jpg"));
    }
}
