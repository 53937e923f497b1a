/**
 * An answer to a request whose body nobody will read. A close at once resets the connection, and a sender that still
 * writes loses the answer: it goes out first, then what comes is thrown away for a while.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

const MAX_DRAINED_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 5_000;

/** To be sent with `Connection: close` and its length. Ends when the body has, or when enough was thrown away. */
export function answerUnread(answer: string, request: IncomingMessage): Readable {
  return Readable.from(answerThenDrain(answer, request), { objectMode: false });
}

async function* answerThenDrain(answer: string, request: IncomingMessage): AsyncGenerator<string> {
  yield answer;
  await drain(request);
}

async function drain(body: IncomingMessage): Promise<void> {
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  let bytes = 0;
  const count = (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_DRAINED_BYTES) resolve();
  };
  body.once('end', resolve).once('close', resolve).on('data', count).resume();
  await enough;
  clearTimeout(timer);
  body.pause();
}
