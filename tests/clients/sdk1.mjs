// The official TypeScript SDK, first generation. Usage: node sdk1.mjs stdio COMMAND [ARGUMENT...] | http URL | sse URL
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

import { heard, visit } from "./visit.mjs";

const [kind, target, ...rest] = process.argv.slice(2);
const transport = {
  stdio: () => new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: "inherit" }),
  http: () => new StreamableHTTPClientTransport(new URL(`${target}/mcp`)),
  sse: () => new SSEClientTransport(new URL(`${target}/sse`)),
}[kind]();

const logs = heard();
const updated = heard();
const asked = [];
const answers = [];
const client = new Client({ name: "sdk1", version: "1" }, { capabilities: { elicitation: {} } });
client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => logs.push(params));
client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => updated.push(params.uri));
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  asked.push(params.message);
  return answers.shift();
});
await client.connect(transport);
const report = await visit(client, {
  modern: false,
  call: (name, given, onprogress) => client.callTool({ name, arguments: given }, undefined, { onprogress }),
  logs,
  updated,
  asked,
  answers,
});
await client.close();
process.stdout.write(JSON.stringify(report));
