using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/Pristine.Benchmarks -- --filter '*Brisque*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
