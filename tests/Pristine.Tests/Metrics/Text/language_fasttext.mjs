// Reference values of lang_score: writes language_fasttext.json beside itself with fastText itself, compiled to WebAssembly, and lid.176.ftz.
//
//   npm install --no-save fasttext.wasm.js@1.0.0 && node tests/Pristine.Tests/Metrics/Text/language_fasttext.mjs
//
// node 20. fastText is asked as data-juicer asks it: the text in lower case, line ends as spaces.
import { createRequire } from "module";
import { pathToFileURL } from "url";
import { writeFileSync } from "fs";

const require = createRequire(process.cwd() + "/");
const { getLIDModel } = await import(pathToFileURL(require.resolve("fasttext.wasm.js")));
const model = await getLIDModel();
await model.load();
const texts = [
  "", " ", "a", "hi", "ok", "cat", "chat", "kat", "42", "!!!", "😀 😀", "</s>", "__label__en", "__label__en hello", "the",
  "The cat sat on the mat.", "A photo of a red bicycle leaning against a brick wall", "What is shown in this picture?",
  "Die Katze sitzt auf der Matte.", "Ein rotes Fahrrad lehnt an einer Mauer aus Ziegeln.", "Was ist auf diesem Bild zu sehen?",
  "Le chat est assis sur le tapis.", "Une bicyclette rouge appuyée contre un mur de briques", "El gato está sentado en la alfombra.",
  "Una bicicleta roja apoyada en una pared de ladrillos", "Il gatto è seduto sul tappeto.", "O gato está sentado no tapete.",
  "De kat zit op de mat.", "Katten sitter på mattan.", "Katten sidder på måtten.", "Kissa istuu matolla.", "Kot siedzi na macie.",
  "Kočka sedí na rohožce.", "Кошка сидит на коврике.", "Кішка сидить на килимку.", "Котката седи на постелката.", "Η γάτα κάθεται στο χαλάκι.",
  "Kedi paspasın üzerinde oturuyor.", "الجمل يمشي في الصحراء", "החתול יושב על השטיח", "बिल्ली चटाई पर बैठी है।", "বিড়ালটি মাদুরের উপর বসে আছে।",
  "猫坐在垫子上。", "一只猫坐在红色的自行车旁边。", "猫がマットの上に座っています。", "고양이가 매트 위에 앉아 있다.", "แมวนั่งอยู่บนเสื่อ", "Con mèo ngồi trên tấm thảm.",
  "Kucing itu duduk di atas tikar.", "Paka ameketi kwenye mkeka.", "A macska a szőnyegen ül.", "Pisica stă pe covoraș.",
  "two languages in one line und das ist die zweite", "hello 世界, bonjour le monde", "def main(): return [x for x in range(10)]",
  "<image>\nWhat colour is the car?\nThe car is blue.", "tabs\tand\r\nline\vends\fand\0zeros", "AN ALL UPPER CASE CAPTION OF A DOG", "ñandú über straße ĳsselmeer",
  "https://example.org/path?x=1&y=2", "lorem ipsum dolor sit amet consectetur adipiscing elit", "a\u00a0word\u2003with other spaces",
  "word ".repeat(500).trim(), "x".repeat(2000), "𝒶𝓃 𝓊𝓃𝓊𝓈𝓊𝒶𝓁 𝓈𝒸𝓇𝒾𝓅𝓉", "e\u0301te\u0301 combining marks",
];
const cases = [];
for (const text of texts) {
  const line = text.toLowerCase().replaceAll("\n", " ");
  const vector = await model.model.predict(line, 1, 0);
  const [probability, label] = vector.get(0);
  cases.push({ text, language: label.replace("__label__", ""), probability });
}
writeFileSync(new URL("language_fasttext.json", import.meta.url), JSON.stringify({ package: "fasttext.wasm.js 1.0.0", cases }, null, 1) + "\n");
