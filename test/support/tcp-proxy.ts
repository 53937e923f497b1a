/** A wire that can be cut in one direction: what one side says from then on never arrives, and nobody is told. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly address: string;
  /** Loses what clients say, or what the server answers; connections seem to stay. */
  cut(direction: 'requests' | 'answers'): void;
  /** For connections from now on; those that were cut end. */
  mend(): void;
  close(): Promise<void>;
}

/** In front of `target`, a host and port. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const [host = '', port = ''] = target.split(':');
  const clients = new Set<Socket>();
  let lost: 'requests' | 'answers' | undefined;
  const proxy = createServer((client) => {
    const server = connect(Number(port), host);
    clients.add(client);
    client.on('data', (bytes) => lost !== 'requests' && server.write(bytes));
    server.on('data', (bytes) => lost !== 'answers' && client.write(bytes));
    for (const socket of [client, server]) {
      socket.on('error', () => undefined); // a killed side resets; `close` follows
      socket.once('close', () => {
        clients.delete(client);
        client.destroy();
        server.destroy();
      });
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: (direction) => {
      lost = direction;
    },
    mend: () => {
      lost = undefined;
      for (const client of clients) client.destroy();
    },
    close: () =>
      new Promise((closed) => {
        proxy.close(() => closed());
        for (const client of clients) client.destroy();
      }),
  };
}
