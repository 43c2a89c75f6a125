// A call by the stock client of @openai/agents-realtime, on its own web socket transport.
// node client.mjs URL UTTERANCES: the file holds {name: base64 of 8 kHz mu-law}. Prints one JSON object a line.
import { readFileSync } from "node:fs";
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";

const [url, file] = process.argv.slice(2);
const utterances = JSON.parse(readFileSync(file, "utf8"));
const tell = (what, content) => console.log(JSON.stringify({ what, ...content }));

const escalate = tool({
  name: "escalate",
  description: "Raise an emergency.",
  strict: false,
  parameters: {
    type: "object",
    properties: {
      category: { type: "string", enum: ["gas", "water"] },
      severity: { type: "string", enum: ["life", "urgent", "routine"] },
      place: { type: "string" },
      reason: { type: "string" },
    },
    required: ["category", "severity", "place", "reason"],
    additionalProperties: true,
  },
  execute: async (input) => {
    tell("tool", { input });
    return JSON.stringify({ ok: true });
  },
});

const agent = new RealtimeAgent({
  name: "desk",
  instructions: 'You answer the night line. Greet with: "Harbor Property after hours."',
  tools: [escalate],
});
const pcmu = { type: "audio/pcmu" };
const session = new RealtimeSession(agent, {
  transport: "websocket",
  model: "gpt-realtime-2.1",
  config: {
    audio: {
      input: {
        format: pcmu,
        transcription: { model: "gpt-transcribe" },
        turnDetection: { type: "server_vad", interruptResponse: true, createResponse: true },
      },
      output: { format: pcmu },
    },
  },
});

let sound = [];
let playedUntil = 0; // the transport takes what was not played by then for unheard
const waiting = [];
const seen = [];
const until = (kind) => {
  const at = seen.indexOf(kind);
  if (at >= 0) {
    seen.splice(0, at + 1);
    return Promise.resolve();
  }
  return new Promise((resolve) => waiting.push({ kind, resolve }));
};
session.transport.on("*", (event) => {
  if (event.type === "response.done") {
    tell("answer", { audio: Buffer.concat(sound).toString("base64"), status: event.response.status });
    playedUntil = Date.now() + Buffer.concat(sound).length / 8;
    sound = [];
  }
  if (event.type === "error") tell("error", { error: event.error });
  if (event.type === "conversation.item.truncated") tell("truncated", { ms: event.audio_end_ms });
  seen.push(event.type);
  const first = waiting.findIndex((one) => one.kind === event.type);
  if (first >= 0) {
    seen.length = 0;
    waiting.splice(first, 1)[0].resolve();
  }
});
session.on("audio", (event) => sound.push(Buffer.from(event.data)));
session.on("error", (error) => tell("error", { error: String(error.error ?? error) }));
session.on("audio_interrupted", () => tell("interrupted", {}));

const says = (name) => {
  const bytes = Buffer.from(utterances[name], "base64");
  for (let at = 0; at < bytes.length; at += 800) {
    const piece = bytes.subarray(at, at + 800);
    session.sendAudio(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length));
  }
};

const played = () => new Promise((resolve) => setTimeout(resolve, playedUntil - Date.now()));

const updated = until("session.updated");
await session.connect({ apiKey: "ek_test", url });
await updated;
session.transport.sendEvent({ type: "response.create" });
await until("response.done");
for (const name of ["trouble", "place"]) {
  await played();
  says(name);
  await until("response.done");
}
await played();
says("yes");
await until("response.done"); // it calls the tool
await until("response.done"); // it says what came of it
session.transport.sendEvent({
  type: "response.create",
  response: { instructions: `Say exactly this and nothing else: "${"The engineer is being rung. ".repeat(8)}"` },
});
await until("response.output_audio.delta");
says("wait");
await until("conversation.item.truncated");
await until("response.done");
tell("history", {
  items: session.history.map((item) => ({ type: item.type, role: item.role, name: item.name })),
});
session.close();
