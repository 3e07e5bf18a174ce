// Ask the API as the AI SDK's client does; write the messages that it makes of the
// stream, the last one of all.
import { DefaultChatTransport, readUIMessageStream } from "ai";

const [url, cookie, text] = process.argv.slice(2);
const transport = new DefaultChatTransport({
  api: `${url}/api/chat`,
  headers: { cookie },
});
const stream = await transport.sendMessages({
  trigger: "submit-message",
  chatId: "a-client-s-own",
  messageId: undefined,
  messages: [{ id: "u1", role: "user", parts: [{ type: "text", text }] }],
});
let last;
for await (const message of readUIMessageStream({
  stream,
  onError: (error) => {
    throw error;
  },
})) {
  last = message;
}
process.stdout.write(JSON.stringify(last));
