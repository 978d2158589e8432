// openai-node.

import OpenAI from "openai";
import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { City, QUESTION, Verdict, WEATHER, apiKey, baseURL, model, play, weatherOf } from "./turns.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const say = (content) => [{ role: "user", content }];

const chat = {
  async plain() {
    const done = await client.chat.completions.create({ model, messages: say(QUESTION) });
    return { text: done.choices[0].message.content, tokens: done.usage.total_tokens };
  },
  async streamed() {
    const running = client.chat.completions.stream({
      model,
      messages: say(QUESTION),
      stream_options: { include_usage: true },
    });
    const pieces = [];
    running.on("content", (piece) => pieces.push(piece));
    const done = await running.finalChatCompletion();
    const text = done.choices[0].message.content;
    return { text, pieces, tokens: done.usage.total_tokens };
  },
  async tool() {
    const called = [];
    const running = client.chat.completions.runTools({
      model,
      messages: say(WEATHER),
      tools: [
        zodFunction({
          name: "get_weather",
          parameters: City,
          function: (given) => {
            called.push(given);
            return weatherOf(given);
          },
        }),
      ],
    });
    return { text: await running.finalContent(), called };
  },
  async tool_streamed() {
    const called = [];
    const running = client.chat.completions.runTools({
      model,
      stream: true,
      messages: say(WEATHER),
      tools: [
        zodFunction({
          name: "get_weather",
          parameters: City,
          function: (given) => {
            called.push(given);
            return weatherOf(given);
          },
        }),
      ],
    });
    return { text: await running.finalContent(), called };
  },
  async structured() {
    const done = await client.chat.completions.parse({
      model,
      messages: say("Judge."),
      response_format: zodResponseFormat(Verdict, "verdict"),
    });
    return done.choices[0].message.parsed;
  },
  async structured_streamed() {
    const running = client.chat.completions.stream({
      model,
      messages: say("Judge."),
      response_format: zodResponseFormat(Verdict, "verdict"),
    });
    return (await running.finalChatCompletion()).choices[0].message.parsed;
  },
};

const tools = [zodResponsesFunction({ name: "get_weather", parameters: City })];

async function loop(ask) {
  const input = say(WEATHER);
  const called = [];
  let done = await ask({ model, input, tools });
  for (const item of done.output.filter(({ type }) => type === "function_call")) {
    called.push(item.parsed_arguments);
    const output = weatherOf(item.parsed_arguments);
    input.push(item, { type: "function_call_output", call_id: item.call_id, output });
  }
  done = await ask({ model, input, tools });
  return { text: done.output_text, called };
}

const responses = {
  async plain() {
    const done = await client.responses.create({ model, input: QUESTION });
    return { text: done.output_text, tokens: done.usage.total_tokens };
  },
  async streamed() {
    const running = client.responses.stream({ model, input: QUESTION });
    const pieces = [];
    running.on("response.output_text.delta", ({ delta }) => pieces.push(delta));
    const done = await running.finalResponse();
    return { text: done.output_text, pieces, tokens: done.usage.total_tokens };
  },
  // The plain iterator shows events as they come, and leaves it to the caller to notice the end.
  async iterated() {
    const pieces = [];
    for await (const event of await client.responses.create({ model, input: QUESTION, stream: true })) {
      if (event.type === "response.output_text.delta") pieces.push(event.delta);
    }
    return { text: pieces.join(""), pieces };
  },
  tool: () => loop((body) => client.responses.parse(body)),
  tool_streamed: () => loop((body) => client.responses.stream(body).finalResponse()),
  async structured() {
    const text = { format: zodTextFormat(Verdict, "verdict") };
    return (await client.responses.parse({ model, input: "Judge.", text })).output_parsed;
  },
  async structured_streamed() {
    const text = { format: zodTextFormat(Verdict, "verdict") };
    return (await client.responses.stream({ model, input: "Judge.", text }).finalResponse()).output_parsed;
  },
};

await play(process.env.API === "chat" ? chat : responses);
