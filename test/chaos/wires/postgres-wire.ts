/**
 * In front of Postgres: understands where a statement begins and where its answer ends. Points are the commits, named
 * by the tables that their transaction wrote, and single statements that write and so commit by themselves.
 */
import { connect, type Socket } from 'node:net';
import type { Checkpoint, Passage } from './checkpoint.ts';
import { openWire, type Wire } from './wire.ts';

export interface PostgresTarget {
  readonly port: number;
  readonly checkpoint: Checkpoint;
}

export function openPostgresWire({ port, checkpoint }: PostgresTarget): Promise<Wire> {
  return openWire((client) => {
    const server = connect(port, '127.0.0.1');
    server.setNoDelay(true);
    const end = () => {
      client.destroy();
      server.destroy();
    };
    server.on('error', () => undefined);
    for (const socket of [client, server]) socket.once('close', end);
    void relay({ client, server, checkpoint }).catch(end).finally(end);
  });
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  readonly checkpoint: Checkpoint;
}

/** Batches that were forwarded and not yet answered whole; `undefined` are those that are no point. */
type Pending = (Passage | undefined)[];

async function relay(line: Line): Promise<void> {
  const pending: Pending = [undefined]; // the first answer is the server's welcome
  await Promise.race([relayRequests(line, pending), relayAnswers(line, pending)]);
}

async function relayRequests({ client, server, checkpoint }: Line, pending: Pending) {
  const transaction = followTransaction();
  let batch: Frame[] = [];
  for await (const frame of framesOf(client, true)) {
    batch.push(frame);
    // Of a login, and of everything but the end of a batch, nobody waits for the answer.
    if (!endsBatch(frame)) {
      if (batch.every(({ type }) => type === '' || type === 'p')) batch = sendAll(server, batch);
      continue;
    }
    const label = transaction.labelOf(textOf(batch));
    const passage = label === undefined ? undefined : checkpoint.enter(label);
    if ((await passage?.reach('before')) === 'lose') return;
    pending.push(passage);
    batch = sendAll(server, batch);
  }
}

async function relayAnswers({ client, server }: Line, pending: Pending): Promise<void> {
  let answer: Frame[] = [];
  for await (const frame of framesOf(server, false)) {
    answer.push(frame);
    const [passage] = pending;
    const isWhole = frame.type === READY;
    if (passage === undefined) answer = sendAll(client, answer);
    if (!isWhole) continue;
    pending.shift();
    if (passage === undefined) continue;
    if ((await passage.reach('unanswered')) === 'lose') return;
    answer = sendAll(client, answer);
    if ((await passage.reach('answered')) === 'lose') return;
  }
}

const READY = 'Z';

/** A simple query, a sync, or the farewell. */
function endsBatch({ type }: Frame): boolean {
  return type === 'Q' || type === 'S' || type === 'X';
}

function sendAll(socket: Socket, frames: readonly Frame[]): Frame[] {
  if (frames.length > 0) socket.write(Buffer.concat(frames.map(({ bytes }) => bytes)));
  return [];
}

interface Frame {
  /** Empty for what opens a connection. */
  readonly type: string;
  /** Type and length included. */
  readonly bytes: Buffer;
}

/** Cuts a stream into messages: a type, a length that counts itself, a body. The very first one of a client has no type. */
async function* framesOf(socket: Socket, fromClient: boolean): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  let typeBytes = fromClient ? 0 : 1;
  for await (const data of socket) {
    rest = Buffer.concat([rest, data as Buffer]);
    while (rest.length >= typeBytes + 4) {
      const length = typeBytes + rest.readUInt32BE(typeBytes);
      if (rest.length < length) break;
      const bytes = rest.subarray(0, length);
      yield { type: typeBytes === 0 ? '' : String.fromCharCode(bytes[0] ?? 0), bytes };
      rest = rest.subarray(length);
      typeBytes = 1;
    }
  }
}

/** The statement: of a simple query, or of the parse message. */
function textOf(batch: readonly Frame[]): string {
  const texts = batch.map(({ type, bytes }) => {
    if (type === 'Q') return bytes.toString('utf8', 5, bytes.length - 1);
    if (type !== 'P') return '';
    const afterName = bytes.indexOf(0, 5) + 1;
    return bytes.toString('utf8', afterName, bytes.indexOf(0, afterName));
  });
  return texts.join('').trim();
}

const written = /\b(?:insert into|update|delete from)\s+intake\.(\w+)/gi;

function followTransaction() {
  let tables: Set<string> | undefined;
  return {
    /** `undefined` for what commits nothing. */
    labelOf(statement: string): string | undefined {
      const writes = Array.from(statement.matchAll(written), ([, table = '']) => table);
      if (/^begin\b/i.test(statement)) tables = new Set();
      else if (/^rollback\b/i.test(statement)) tables = undefined;
      else if (/^commit\b/i.test(statement)) {
        const changed = [...(tables ?? [])].sort().join(' ');
        tables = undefined;
        return changed === '' ? undefined : `sql commit ${changed}`;
      } else if (tables !== undefined) for (const table of writes) tables.add(table);
      else if (writes.length > 0) return `sql write ${writes.join(' ')}`;
      return undefined;
    },
  };
}
