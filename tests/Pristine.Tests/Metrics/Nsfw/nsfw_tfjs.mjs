// Reference values of the nsfw network: writes nsfw_tfjs.json beside itself with TensorFlow.js, the runtime of nsfwjs.
//
//   npm install --no-save @tensorflow/tfjs@4.22.0 nsfwjs@4.3.0 && node tests/Pristine.Tests/Metrics/Nsfw/nsfw_tfjs.mjs
//
// node 20. Pictures are patterns that any program can make; models, normalisation and classes are those of nsfwjs.
import { createRequire } from "module";
import { writeFileSync } from "fs";

const require = createRequire(process.cwd() + "/");
const tf = require("@tensorflow/tfjs");
const folder = process.cwd() + "/node_modules/nsfwjs/dist/models/mobilenet_v2/";
const model = require(folder + "model.min.js");
const weights = Buffer.from(require(folder + "group1-shard1of1.min.js"), "base64");
const network = await tf.loadLayersModel({
  load: async () => ({
    modelTopology: model.modelTopology,
    weightSpecs: model.weightsManifest[0].weights,
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }),
});
const side = 224;
const cases = [[3, 5, 40], [1, 0, 0], [7, 2, 90], [0, 1, 5]].map(([a, b, c]) => {
  const pixels = new Float32Array(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let channel = 0; channel < 3; channel++)
        pixels[3 * (y * side + x) + channel] = ((x * a + y * b + channel * c + Math.floor(x * y / 16)) % 256) / 255;
  return { a, b, c, probabilities: Array.from(network.predict(tf.tensor4d(pixels, [1, side, side, 3])).dataSync()) };
});
const json = JSON.stringify({ tfjs: tf.version.tfjs, nsfwjs: "4.3.0", cases }, null, 1);
writeFileSync(new URL("nsfw_tfjs.json", import.meta.url), json + "\n");
