// The official TypeScript SDK, second generation. Usage: node sdk2.mjs legacy|auto stdio COMMAND [ARGUMENT...] | http URL
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { heard, visit } from "./visit.mjs";

const [mode, kind, target, ...rest] = process.argv.slice(2);
const transport = {
  stdio: () => new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: "inherit" }),
  http: () => new StreamableHTTPClientTransport(new URL(`${target}/mcp`)),
}[kind]();

const logs = heard();
const updated = heard();
const asked = [];
const answers = [];
const client = new Client(
  { name: "sdk2", version: "2" },
  // Unasked, this generation speaks like the first one.
  { capabilities: { elicitation: {} }, ...(mode === "auto" && { versionNegotiation: { mode } }) },
);
client.setNotificationHandler("notifications/message", ({ params }) => logs.push(params));
client.setNotificationHandler("notifications/resources/updated", ({ params }) => updated.push(params.uri));
client.setRequestHandler("elicitation/create", ({ params }) => {
  asked.push(params.message);
  return answers.shift();
});
await client.connect(transport);
let subscription;
const report = await visit(client, {
  modern: mode === "auto",
  call: (name, given, onprogress) => client.callTool({ name, arguments: given }, { onprogress }),
  listen: async (resourceSubscriptions) => {
    subscription = await client.listen({ resourceSubscriptions });
  },
  logs,
  updated,
  asked,
  answers,
});
await subscription?.close();
await client.close();
process.stdout.write(JSON.stringify(report));
