// What a server on the AI SDK sends, with a model that follows a script: recorded.txt.
import {
  convertToModelMessages,
  simulateReadableStream,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { z } from "zod";

const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
const input = '{"query":"pens"}';
const call = { toolCallId: "call-1", toolName: "searchProducts" };
const steps = [
  [
    { type: "tool-input-start", id: "call-1", toolName: call.toolName },
    { type: "tool-input-delta", id: "call-1", delta: input },
    { type: "tool-input-end", id: "call-1" },
    { type: "tool-call", ...call, input },
    { type: "finish", finishReason: { unified: "tool-calls" }, usage },
  ],
  [
    { type: "text-start", id: "txt-0" },
    { type: "text-delta", id: "txt-0", delta: "I looked at 3 products" },
    { type: "text-delta", id: "txt-0", delta: " for you." },
    { type: "text-end", id: "txt-0" },
    { type: "finish", finishReason: { unified: "stop" }, usage },
  ],
];
const products = [
  { id: "B01", name: "Squared notebook", price: 1490 },
  { id: "B02", name: "Fountain pen", price: 6900 },
  { id: "B03", name: "Running shoes", price: 11900 },
];
const model = new MockLanguageModelV3({
  doStream: async () => ({
    stream: simulateReadableStream({ chunks: steps.shift() }),
  }),
});
const asked = [
  { id: "u1", role: "user", parts: [{ type: "text", text: "pens" }] },
];
const answer = streamText({
  model,
  messages: await convertToModelMessages(asked),
  stopWhen: stepCountIs(5),
  tools: {
    searchProducts: tool({
      inputSchema: z.object({ query: z.string() }),
      execute: async () => ({ products }),
    }),
  },
}).toUIMessageStreamResponse({
  originalMessages: asked,
  generateMessageId: () => "msg-1",
});
for (const name of [
  "cache-control",
  "content-type",
  "x-accel-buffering",
  "x-vercel-ai-ui-message-stream",
]) {
  process.stdout.write(`${name}: ${answer.headers.get(name)}\n`);
}
process.stdout.write(`\n${await answer.text()}`);
