using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public class TrainingSplitTests
{
    private static ClassifiedImage[] Images(params (string Label, DatasetPart? Part, int Count)[] groups) =>
        [.. groups.SelectMany((group, g) => Enumerable.Range(0, group.Count)
        .Select(i => new ClassifiedImage($"{g}/{i}", $"{g}/{i}", group.Label, group.Part)))];

    [Fact]
    public void Parts_drawn_by_seed_are_disjoint_whole_and_keep_the_shares_of_each_class()
    {
        var images = Images(("a", null, 100), ("b", null, 40), ("c", null, 10));
        var split = TrainingSplit.Draw(images, 7, new SplitOptions());
        Assert.Equal(Enumerable.Range(0, 150), split.Train.Concat(split.Validation).Concat(split.Test).Order());
        Assert.Equal([20, 8, 2], CountsByClass(images, split.Test));
        Assert.Equal([10, 4, 1], CountsByClass(images, split.Validation));
        Assert.Equal(split.Test, TrainingSplit.Draw(images, 7, new SplitOptions()).Test);
        Assert.NotEqual(split.Test, TrainingSplit.Draw(images, 8, new SplitOptions()).Test);
    }

    [Fact]
    public void Another_class_does_not_move_the_images_of_one()
    {
        var some = TrainingSplit.Draw(Images(("a", null, 50), ("b", null, 20)), 3, new SplitOptions());
        var more = TrainingSplit.Draw(Images(("a", null, 50), ("b", null, 20), ("c", null, 30)), 3, new SplitOptions());
        Assert.Equal(some.Test, more.Test.Where(i => i < 70));
    }

    [Fact]
    public void Given_parts_are_kept_and_seeds_draw_from_the_training_images_alone()
    {
        var images = Images(
            ("a", DatasetPart.Train, 50), ("a", DatasetPart.Test, 10), ("b", DatasetPart.Train, 30), ("b", DatasetPart.Validation, 5),
            ("b", DatasetPart.Test, 5));
        var split = TrainingSplit.Draw(images, 1, new SplitOptions());
        Assert.Equal([40, 24], CountsByClass(images, split.Train));
        Assert.All(split.Train, i => Assert.Equal(DatasetPart.Train, images[i].Part));
        Assert.Equal(15, split.Test.Length);
        Assert.All(split.Test, i => Assert.Equal(DatasetPart.Test, images[i].Part));
        Assert.Equal(5, split.Validation.Length);
        Assert.Equal(80, TrainingSplit.Draw(images, 1, new SplitOptions { TrainShare = 1 }).Train.Length);
    }

    [Fact]
    public void Validation_images_are_taken_from_those_for_training_where_the_dataset_has_none()
    {
        var images = Images(
            ("a", DatasetPart.Train, 50), ("a", DatasetPart.Test, 10), ("b", DatasetPart.Train, 2), ("b", DatasetPart.Test, 1));
        var split = TrainingSplit.Draw(images, 1, new SplitOptions { TrainShare = 1 });
        Assert.Equal([5, 1], CountsByClass(images, split.Validation));
        Assert.Equal([45, 1], CountsByClass(images, split.Train));
    }

    [Theory]
    [InlineData(1, 1, 0, 0)]
    [InlineData(2, 1, 0, 1)]
    [InlineData(3, 1, 1, 1)]
    public void Small_classes_keep_an_image_to_learn_from(int count, int train, int validation, int test)
    {
        var split = TrainingSplit.Draw(Images(("a", null, count)), 1, new SplitOptions());
        Assert.Equal((train, validation, test), (split.Train.Length, split.Validation.Length, split.Test.Length));
    }

    private static int[] CountsByClass(ClassifiedImage[] images, int[] positions) =>
        [.. images.Select(image => image.Label).Distinct().Select(label => positions.Count(i => images[i].Label == label))];
}
