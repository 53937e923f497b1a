/**
 * While a development user exists, only pages of this machine may speak to the API: a foreign page that
 * points its own name at 127.0.0.1 (DNS rebinding) shows that name in Host or Origin.
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { IntakeError } from '../domain/errors.ts';

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

export const loopbackOnly = fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', async ({ headers }) => {
      const trusted =
        isLoopback(`http://${headers.host ?? ''}`) &&
        (headers.origin === undefined || isLoopback(headers.origin));
      if (!trusted) {
        throw new IntakeError('INVALID_REQUEST', { detail: 'Host or Origin is not loopback' });
      }
    });
  },
  { name: 'loopback-only' },
);

function isLoopback(url: string): boolean {
  return URL.canParse(url) && loopbackNames.includes(new URL(url).hostname);
}
