using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxRuntimeException = Pristine.Native.OnnxRuntimeException;

namespace Pristine.Networks;

/// <summary>
/// A network as a function of arrays, for what is small beside an image encoder: the layers behind an embedding, an encoder of text. It is
/// thread-safe; a call runs on the caller's thread and allocates its arrays.
/// </summary>
internal sealed class OnnxFunction
{
    private readonly OnnxRuntimeSession _session;
    private readonly string _output;

    /// <summary>Makes the function of one output.</summary>
    /// <param name="session">The network.</param>
    /// <param name="output">Name of the output; the first when null.</param>
    /// <exception cref="OnnxRuntimeException">There is no such output.</exception>
    public OnnxFunction(OnnxRuntimeSession session, string? output)
    {
        _session = session;
        _output = output ?? session.OutputNames[0];
        if (!session.OutputNames.Contains(_output))
            throw new OnnxRuntimeException($"expected an output {_output}; found {string.Join(", ", session.OutputNames)}.");
    }

    /// <summary>Names of the inputs.</summary>
    public IReadOnlyList<string> Inputs => _session.InputNames;

    /// <summary>Runs a network of one input on one vector.</summary>
    /// <param name="vector">The input of the shape 1 x length.</param>
    /// <returns>The output.</returns>
    /// <exception cref="OnnxRuntimeException">The network does not take it.</exception>
    public float[] Run(float[] vector)
    {
        if (Inputs.Count != 1)
            throw new OnnxRuntimeException($"expected one input; found {string.Join(", ", Inputs)}.");
        using var value = OrtValue.CreateTensorValueFromMemory(vector, [1, vector.Length]);
        return Run([value]);
    }

    /// <summary>Runs a network whose inputs are whole numbers, of 64 or 32 bits.</summary>
    /// <param name="rows">For each input its values, of the shape 1 x length.</param>
    /// <returns>The output.</returns>
    /// <exception cref="OnnxRuntimeException">The network does not take them.</exception>
    public float[] Run(IReadOnlyList<long[]> rows)
    {
        var values = new List<OrtValue>();
        try
        {
            foreach (var (name, row) in Inputs.Zip(rows))
            {
                var type = _session.Session.InputMetadata[name] is { IsTensor: true } tensor ? tensor.ElementDataType : default;
                values.Add(type switch
                {
                    TensorElementType.Int64 => OrtValue.CreateTensorValueFromMemory(row, [1, row.Length]),
                    TensorElementType.Int32 => OrtValue.CreateTensorValueFromMemory(
                        Array.ConvertAll(row, number => (int)number), [1, row.Length]),
                    _ => throw new OnnxRuntimeException($"expected whole numbers of 64 or 32 bits in the input {name}; found {type}."),
                });
            }
            return Run(values);
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    private float[] Run(IReadOnlyCollection<OrtValue> values) => OnnxRuntimeWorker.Try(() =>
    {
        using var options = new RunOptions();
        using var outputs = _session.Session.Run(options, _session.InputNames, values, [_output]);
        var information = outputs[0].GetTensorTypeAndShape();
        return information.ElementDataType == TensorElementType.Float
            ? outputs[0].GetTensorDataAsSpan<float>().ToArray()
            : throw new OnnxRuntimeException($"expected floats in the output {_output}; found {information.ElementDataType}.");
    });
}
