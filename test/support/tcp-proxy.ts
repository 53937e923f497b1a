/** A wire that can be held: what one side says while it is held does not arrive until it is let go. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly address: string;
  /** Holds what clients say, or what the server answers. Connections stay open. */
  hold(direction: 'requests' | 'answers'): void;
  release(): void;
  close(): Promise<void>;
}

/** In front of `target`, a host and port. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const [host = '', port = ''] = target.split(':');
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let held: 'requests' | 'answers' | undefined;
  const proxy = createServer((client) => {
    const server = connect(Number(port), host);
    const pair = { client, server };
    pairs.add(pair);
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => client.write(bytes));
    if (held === 'requests') client.pause();
    if (held === 'answers') server.pause();
    for (const socket of [client, server]) {
      socket.on('error', () => undefined); // a killed side resets; `close` follows
      socket.once('close', () => {
        pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    hold: (direction) => {
      held = direction;
      for (const { client, server } of pairs) (direction === 'requests' ? client : server).pause();
    },
    release: () => {
      held = undefined;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    close: () =>
      new Promise((closed) => {
        proxy.close(() => closed());
        for (const { client } of pairs) client.destroy();
      }),
  };
}
