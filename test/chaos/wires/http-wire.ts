/** In front of a server that speaks HTTP/1.1: every request is a point, named by method and path without ids. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Checkpoint } from './checkpoint.ts';
import { openWire, type Wire } from './wire.ts';

export interface HttpTarget {
  /** First word of its labels: `storage`, `parser`, … */
  readonly name: string;
  readonly port: number;
  readonly checkpoint: Checkpoint;
}

export function openHttpWire(target: HttpTarget): Promise<Wire> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (incoming, outgoing) => {
    void exchange(target, incoming, outgoing).catch(() => incoming.socket.resetAndDestroy());
  });
  return openWire((client) => void server.emit('connection', client));
}

async function exchange(
  { name, port, checkpoint }: HttpTarget,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await buffer(incoming);
  const passage = checkpoint.enter(`${name} ${incoming.method} ${withoutIds(incoming.url ?? '')}`);
  if ((await passage.reach('before')) === 'lose') throw new Error('lost');
  const answer = await forward(port, incoming, body);
  if ((await passage.reach('unanswered')) === 'lose') throw new Error('lost');
  outgoing.writeHead(answer.status, [...answer.headers]);
  await new Promise<void>((sent) => outgoing.end(answer.body, sent));
  if ((await passage.reach('answered')) === 'lose') throw new Error('lost');
}

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Hangs up when the caller does: nobody works for one that is gone. */
async function forward(port: number, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, url: path, rawHeaders, socket } = incoming;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({ host: '127.0.0.1', port, method, path, agent: false });
  for (const [name, values] of headersOf(rawHeaders)) outgoing.setHeader(name, values);
  // Node gives a DELETE's body no length by itself.
  if (body.length > 0) outgoing.setHeader('content-length', body.length);
  outgoing.once('response', resolve).once('error', reject);
  const hangUp = () => outgoing.destroy(new Error('the caller is gone'));
  socket.once('close', hangUp);
  try {
    outgoing.end(body);
    const response = await promise;
    return {
      status: response.statusCode ?? 502,
      headers: endToEnd(response.rawHeaders),
      body: await buffer(response),
    };
  } finally {
    socket.off('close', hangUp);
  }
}

const ofTheConnection = /^(connection|keep-alive|transfer-encoding|content-length|expect)$/i;

function headersOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  const kept = endToEnd(raw);
  for (let at = 0; at < kept.length; at += 2) {
    const [name = '', value = ''] = kept.slice(at);
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return headers;
}

/** Bodies are passed on whole, so both sides get a length of their own. */
function endToEnd(raw: readonly string[]): readonly string[] {
  return raw.filter((_, at) => !ofTheConnection.test(raw[at - (at % 2)] ?? ''));
}

const isId = /^(?=.*\d)[\w.-]*[0-9a-f]{8}[\w.-]*$|^pjb-/;

/** Ids in a row become one star, so that a label is the same for every document. */
function withoutIds(url: string): string {
  const [path = ''] = url.split('?');
  const words = path.split('/').map((word) => (isId.test(word) ? '*' : word));
  return words.filter((word, at) => word !== '*' || words[at - 1] !== '*').join('/');
}
