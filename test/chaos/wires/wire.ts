/** A wire between a process and a server: it can be cut, so that nobody gets through, and mended. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface Wire {
  readonly port: number;
  /** Resets every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** `serve` gets each connection that is let through. */
export async function openWire(serve: (client: Socket) => void): Promise<Wire> {
  const clients = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy();
    clients.add(client);
    client.on('error', () => undefined); // a killed process resets; `close` follows
    client.once('close', () => clients.delete(client));
    client.setNoDelay(true);
    serve(client);
  });
  await new Promise<void>((listening) => server.listen(0, HOST, listening));
  const resetAll = () => {
    for (const client of clients) client.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      resetAll();
    },
    mend() {
      isCut = false;
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        resetAll();
      }),
  };
}
