Console.WriteLine("pristine");
