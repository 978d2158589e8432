// What every client here is asked to do, and how the outcome is told: one JSON object on stdout,
// an entry for each turn named on the command line, `{error}` for one that raised.

import { z } from "zod";

export const { BASE_URL: baseURL, API_KEY: apiKey, MODEL: model } = process.env;
export const QUESTION = "What is a ledger?";
export const WEATHER = "How is the weather in 'Ulm'?";
export const weatherOf = ({ city }) => `It snows in ${city}.`;
export const City = z.object({ city: z.string() });
export const Verdict = z.object({ score: z.number(), reasons: z.array(z.string()) });

export async function play(turns) {
  const told = {};
  for (const name of process.argv.slice(2)) {
    try {
      told[name] = await turns[name]();
    } catch (error) {
      told[name] = { error: { name: error.name, message: error.message, code: error.code } };
    }
  }
  console.log(JSON.stringify(told));
}
