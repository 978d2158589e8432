// openai-node as it comes, and how often it asks where it is refused: one JSON object on stdout, by
// case the status, the code and how many requests were sent. The cases come on stdin.

import OpenAI from "openai";

// It waits up to 8 s before it asks again: here not at all. Its time limits stay as they are.
const wait = globalThis.setTimeout;
globalThis.setTimeout = (work, ms, ...rest) => wait(work, ms < 120_000 ? 0 : ms, ...rest);

const cases = JSON.parse(await new Response(process.stdin).text());
const told = {};
for (const { name, baseURL, apiKey, api, body } of cases) {
  let sent = 0;
  const counted = (...given) => {
    sent += 1;
    return fetch(...given);
  };
  const client = new OpenAI({ baseURL, apiKey, fetch: counted });
  const create = api === "chat" ? client.chat.completions : client.responses;
  try {
    await create.create(body);
    told[name] = { status: 200, code: null, sent };
  } catch (error) {
    told[name] = { status: error.status ?? null, code: error.code ?? null, sent };
  }
}
console.log(JSON.stringify(told));
