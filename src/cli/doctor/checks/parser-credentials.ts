/** The parser takes our key: a list that is all but empty, which costs nothing. */
import { createLlamaParseApi } from '../../../parsing/llamaparse-api.ts';
import type { Check } from '../check.ts';

const TIMEOUT_MS = 10_000;

export const parserCredentials: Check = {
  name: 'parser: credentials',
  mend: {
    forbidden:
      'Check LLAMA_CLOUD_API_KEY, and that LLAMA_CLOUD_BASE_URL is of the region (and project) that made the key.',
    unavailable: 'Check LLAMA_CLOUD_BASE_URL, and whether the parser is up and reached from here.',
    refused: 'Check LLAMA_CLOUD_BASE_URL: something answers there that is not the parser.',
  },
  run: async ({ config }) => {
    const api = createLlamaParseApi({
      apiKey: config.LLAMA_CLOUD_API_KEY,
      baseUrl: config.LLAMA_CLOUD_BASE_URL,
      timeoutMs: TIMEOUT_MS,
      withinBudget: (call) => call(),
    });
    await api.jobsSince(new Date(), AbortSignal.timeout(TIMEOUT_MS)).next();
    return `taken by ${new URL(config.LLAMA_CLOUD_BASE_URL).host}`;
  },
};
