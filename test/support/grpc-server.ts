/** Answers gRPC calls with a message or a status, and remembers who called: enough to see how a connection introduces itself. */
import { once } from 'node:events';
import { createSecureServer, createServer, type SecureServerOptions } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface GrpcServer {
  readonly address: string;
  /** `authorization` of each call, in order. */
  readonly authorizations: readonly (string | undefined)[];
  /** Common name in the certificate of each client that was let in. */
  readonly clients: readonly unknown[];
  /** Handshakes that came to nothing. */
  readonly refusals: readonly string[];
  close(): Promise<void>;
}

export interface GrpcAnswer {
  /** 0 unless told. */
  readonly status?: number;
  /** Empty unless told. */
  readonly message?: Uint8Array;
}

/** Uncompressed, its length, itself. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** With `tls`, as a server of one's own; without, in the clear. `answers` are by the name of the call. */
export async function startGrpcServer({
  tls,
  answers = {},
}: {
  readonly tls?: SecureServerOptions;
  readonly answers?: Readonly<Record<string, GrpcAnswer>>;
} = {}): Promise<GrpcServer> {
  const authorizations: (string | undefined)[] = [];
  const clients: unknown[] = [];
  const refusals: string[] = [];
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on('stream', (stream, headers) => {
    authorizations.push(headers.authorization);
    const { status = 0, message = Buffer.alloc(0) } =
      answers[headers[':path']?.split('/').at(-1) ?? ''] ?? {};
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': `${status}` }));
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.end(status === 0 ? framed(message) : undefined);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    clients.push(socket.getPeerCertificate().subject?.CN);
  });
  server.on('tlsClientError', (error: Error) => refusals.push(error.message));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    authorizations,
    clients,
    refusals,
    // Sessions end with the clients that hold them.
    close: async () => void server.close(),
  };
}
