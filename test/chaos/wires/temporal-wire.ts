/**
 * In front of Temporal: gRPC over HTTP/2 without encryption, calls named by their method. Polls, heartbeats, schedules
 * and what a connection asks about the server belong to no document: they pass, and are no points.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { buffer } from 'node:stream/consumers';
import type { Checkpoint, Passage } from './checkpoint.ts';
import { openWire, type Wire } from './wire.ts';

export interface TemporalTarget {
  readonly port: number;
  readonly checkpoint: Checkpoint;
}

const ofNoDocument =
  /^(Poll|GetSystemInfo|GetClusterInfo|DescribeNamespace|ListSearchAttributes|Record\w*Heartbeat|ShutdownWorker|Check|Watch|DescribeTaskQueue|\w+Schedule)/;

export function openTemporalWire({ port, checkpoint }: TemporalTarget): Promise<Wire> {
  const server = createServer();
  const upstreams = new WeakMap<Http2Session, ClientHttp2Session>();
  server.on('session', (session) => {
    const upstream = connect(`http://127.0.0.1:${port}`);
    upstreams.set(session, upstream);
    const end = () => {
      upstream.destroy(); // at once: a poll of a dead process must not be handed a task
      session.destroy();
    };
    for (const side of [session, upstream]) {
      side.on('error', () => undefined);
      side.once('close', end);
      side.once('goaway', end);
    }
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const upstream = stream.session && upstreams.get(stream.session);
    if (upstream === undefined) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    const method = `${headers[':path']}`.split('/').at(-1) ?? '';
    const passage = ofNoDocument.test(method) ? undefined : checkpoint.enter(`temporal ${method}`);
    void exchange({ stream, headers, upstream, passage }).catch(() => {
      if (passage === undefined) stream.close(constants.NGHTTP2_CANCEL);
      else stream.session?.destroy();
    });
  });
  return openWire((client) => void server.emit('connection', client));
}

interface Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly upstream: ClientHttp2Session;
  readonly passage: Passage | undefined;
}

async function exchange({ stream, headers, upstream, passage }: Call): Promise<void> {
  const body = await buffer(stream);
  if ((await passage?.reach('before')) === 'lose') throw new Error('lost');
  const call = upstream.request(headers);
  const hangUp = () => call.close(constants.NGHTTP2_CANCEL);
  stream.once('close', hangUp);
  call.end(body);
  const answer = await answerOf(call);
  stream.off('close', hangUp);
  if ((await passage?.reach('unanswered')) === 'lose') throw new Error('lost');
  if (stream.destroyed) return;
  const { trailers } = answer;
  if (trailers === undefined) stream.respond(answer.headers, { endStream: true });
  else {
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.respond(answer.headers, { waitForTrailers: true });
    stream.end(answer.body);
  }
  if ((await passage?.reach('answered')) === 'lose') throw new Error('lost');
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Absent where the headers say it all. */
  readonly trailers: IncomingHttpHeaders | undefined;
}

async function answerOf(call: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  call.once('response', (given) => {
    headers = given;
  });
  call.once('trailers', (given) => {
    trailers = given;
  });
  const body = await buffer(call);
  if (headers === undefined) throw new Error('no answer');
  return { headers, body, trailers };
}
