// Validates workflows as GitHub does: `node validate.mjs FILE…`, from the repository's root. Of a document, it validates each
// YAML block with jobs. It prints FILE:LINE: MESSAGE for each problem, and ends with 1 if there are any.
import { readFile } from "node:fs/promises";
import { validate, registerLogger } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";
import { DiagnosticSeverity } from "vscode-languageserver-types";

const BLOCK = /^( *)```yaml\n(.*?)^\1```$/gms;
const problems = [];
let where = "";
const fail = (message) => problems.push(`${where}: ${message}`);
registerLogger({ log() {}, info() {}, warn: fail, error: fail });

// Callers of any release get the workflows of this checkout.
const fileProvider = {
  async getFileContent({ owner, repository, path }) {
    if (owner && `${owner}/${repository}` !== "canonical/data-platform-workflows") throw new Error("not ours");
    return { name: path, content: await readFile(path, "utf8") };
  },
};

function read(path, text) {
  if (!path.endsWith(".md")) return [{ line: 1, text }];
  const blocks = [...text.matchAll(BLOCK)].map(({ 1: indentation, 2: block, index }) => ({
    line: text.slice(0, index).split("\n").length + 1,
    text: block.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
  }));
  return blocks.filter(({ text }) => /^jobs:/m.test(text));
}

let count = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, text } of read(path, await readFile(path, "utf8"))) {
    count += 1;
    where = `${path}:${line}`;
    // The validator remembers what it read by its URI.
    const document = TextDocument.create(`file:///${path}?${line}`, "yaml", 1, text);
    for (const { message, range, severity } of await validate(document, { fileProvider })) {
      if ((severity ?? DiagnosticSeverity.Error) > DiagnosticSeverity.Warning) continue;
      where = `${path}:${line + range.start.line}`;
      fail(message);
    }
  }
}
problems.forEach((problem) => console.log(problem));
console.log(`${count} workflows validated, ${problems.length} problems`);
process.exitCode = problems.length || !count ? 1 : 0;
