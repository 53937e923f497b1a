/** One HTTP request of the doctor's own. No answer at all is an ailment; any answer is for the check to judge. */
import { Ill } from './check.ts';

const TIMEOUT_MS = 10_000;

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export async function ask(url: string, request: RequestInit = {}): Promise<Reply> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...request, redirect: 'manual', signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new Ill('unavailable', `${new URL(url).origin}: ${reasonOf(error)}`);
  }
}

/** What `fetch` hides behind its 'fetch failed'. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  if (typeof cause?.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'no answer';
}
