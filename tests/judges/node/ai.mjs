// The AI SDK with its provider for OpenAI.

import { createOpenAI } from "@ai-sdk/openai";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { City, QUESTION, Verdict, WEATHER, apiKey, baseURL, model as name, play, weatherOf } from "./turns.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const provider = createOpenAI({ baseURL, apiKey });
const model = process.env.API === "chat" ? provider.chat(name) : provider.responses(name);
const settings = { model, maxRetries: 0 };

function withTool(called) {
  const execute = async (given) => {
    called.push(given);
    return weatherOf(given);
  };
  return {
    ...settings,
    prompt: WEATHER,
    stopWhen: stepCountIs(3),
    tools: { get_weather: tool({ description: "Tell the weather.", inputSchema: City, execute }) },
  };
}

// `onError` keeps errors off the console; the stream itself yields them as parts.
async function drain(running) {
  const pieces = [];
  for await (const part of running.fullStream) {
    if (part.type === "text-delta") pieces.push(part.text);
    if (part.type === "error") throw part.error;
  }
  return pieces;
}

const stream = (given) => streamText({ ...given, onError: () => undefined });
const structured = {
  ...settings,
  prompt: "Judge.",
  output: Output.object({ schema: Verdict }),
};

await play({
  async plain() {
    const done = await generateText({ ...settings, prompt: QUESTION });
    return { text: done.text, tokens: done.usage.totalTokens };
  },
  async streamed() {
    const running = stream({ ...settings, prompt: QUESTION });
    const pieces = await drain(running);
    return { text: await running.text, pieces, tokens: (await running.usage).totalTokens };
  },
  async tool() {
    const called = [];
    const done = await generateText(withTool(called));
    return { text: done.text, called };
  },
  async tool_streamed() {
    const called = [];
    const running = stream(withTool(called));
    await drain(running);
    return { text: await running.text, called };
  },
  async structured() {
    return (await generateText(structured)).output;
  },
  async structured_streamed() {
    const running = stream(structured);
    await drain(running);
    return await running.output;
  },
});
