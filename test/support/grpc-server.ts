/** Answers every gRPC call with an empty message, and remembers who called: enough to see how a connection introduces itself. */
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

const emptyMessage = Buffer.alloc(5);

/** With `tls`, as a server of one's own; without, in the clear. */
export async function startGrpcServer(tls?: SecureServerOptions): Promise<GrpcServer> {
  const authorizations: (string | undefined)[] = [];
  const clients: unknown[] = [];
  const refusals: string[] = [];
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on('stream', (stream, headers) => {
    authorizations.push(headers.authorization);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.end(emptyMessage);
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
