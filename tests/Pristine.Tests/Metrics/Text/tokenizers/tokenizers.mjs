// Writes expected.json: the ids that Hugging Face's tokenizers.js gives for some texts.
// Usage: npm install @huggingface/tokenizers@0.2.0; node tokenizers.mjs
import { Tokenizer } from "@huggingface/tokenizers";
import { readFileSync, writeFileSync } from "node:fs";
const read = name => new Tokenizer(JSON.parse(readFileSync(name)), {});
const texts = [
  "a photo of a cat", "A Photo of the TREES,  don't you think?", "", "   ", "experiment 2026: images' quality!!",
  "naïve café — 東京 🙂 straße", "the\nlines\tand tabs", "cafe\u0301", "word".repeat(40), "<image>\nWhat is this?",
  "it's they're we've I'm you'll he'd", "x²½ ٣ 12345", "<|endoftext|> hello",
];
const [clip, gpt2] = [read("clip.json"), read("gpt2.json")];
const cases = texts.map(text => ({ text, clip: clip.encode(text).ids, gpt2: gpt2.encode(text, { add_special_tokens: false }).ids }));
writeFileSync("expected.json", `{\n "tool": "@huggingface/tokenizers 0.2.0",\n "command": "node tokenizers.mjs",\n "cases": [\n${cases.map(entry => "  " + JSON.stringify(entry)).join(",\n")}\n ]\n}\n`);
