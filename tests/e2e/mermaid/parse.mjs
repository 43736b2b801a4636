// Reads a JSON list of charts from stdin, and writes what Mermaid reads in each: its tasks, or its error.
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

let text = "";
for await (const part of process.stdin) text += part;
const read = [];
for (const chart of JSON.parse(text)) {
  try {
    await mermaid.parse(chart);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(chart);
    read.push(db.getTasks().map(({ section, task, crit, startTime, endTime }) => ({
      section, task, crit: Boolean(crit), seconds: (endTime - startTime) / 1000,
    })));
  } catch (error) {
    read.push(String(error));
  }
}
process.stdout.write(JSON.stringify(read));
